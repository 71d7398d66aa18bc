package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Times are what a benchmark has measured.
type Times []time.Duration

// Percentile returns the smallest time that is not less than p of all of them, in
// milliseconds to a tenth; without any it is 0. p is between 0 and 1.
func (t Times) Percentile(p float64) float64 {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	rank := int(math.Ceil(p * float64(len(sorted))))
	took := sorted[min(max(rank, 1), len(sorted))-1]
	return math.Round(float64(took)/float64(time.Millisecond)*10) / 10
}

// String returns the distribution on one line.
func (t Times) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "n=%d", len(t))
	for _, p := range []struct {
		name string
		at   float64
	}{{"min", 0}, {"p10", 0.1}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}} {
		fmt.Fprintf(&b, "  %s %.1f", p.name, t.Percentile(p.at))
	}
	return b.String() + " ms"
}
