package pair

import (
	"math"
	"slices"
	"time"
)

// Percentile returns the smallest of took that is not less than p of all of
// them, p being between 0 and 1 (the nearest rank). It sorts took; without any
// it returns 0.
func Percentile(took []time.Duration, p float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	rank := int(math.Ceil(p * float64(len(took))))
	return took[min(max(rank, 1), len(took))-1]
}
