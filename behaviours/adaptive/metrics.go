package adaptive

import (
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/remote"
)

// Metrics are what rules look at.
type Metrics struct {
	// Topology is the present one.
	Topology remote.Topology
	// Nodes is how many members there are, this one included.
	Nodes int
	// Rate is how many signals between processes a node sends and receives in a
	// second, on average over those that were asked.
	Rate float64
	// P50 and P99 are the median and the 99th percentile of the round trips to
	// other nodes; zero as long as none is known.
	P50, P99 time.Duration
	// Parted says whether the overlay has found a partition that has not healed.
	Parted bool
}

// percentile returns the nearest-rank percentile of sorted samples, zero if
// there are none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// window keeps the newest samples. It is pure.
type window struct {
	size    int
	samples []time.Duration
	next    int
}

func (w *window) add(d time.Duration) {
	if len(w.samples) < w.size {
		w.samples = append(w.samples, d)
		return
	}
	w.samples[w.next] = d
	w.next = (w.next + 1) % w.size
}

func (w *window) percentiles() (p50, p99 time.Duration) {
	sorted := slices.Clone(w.samples)
	slices.Sort(sorted)
	return percentile(sorted, 50), percentile(sorted, 99)
}
