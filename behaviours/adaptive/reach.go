package adaptive

import (
	"math"
	"slices"
	"time"
)

// unreachable returns the rules that can never be the first to hold, since
// others before them always do, or since they contradict themselves: by trying
// every combination of what is just below, at, and just above each threshold.
// Between two of those no rule changes its mind.
func unreachable(rules []Rule) []int {
	nodes, rates, p50s, p99s := []int{1}, []float64{0}, []time.Duration{0}, []time.Duration{0}
	for _, r := range rules {
		nodes = append(nodes, around(r.Nodes, func(v int) []int { return []int{v - 1, v, v + 1} })...)
		rates = append(rates, around(r.Rate, func(v float64) []float64 {
			return []float64{math.Nextafter(v, math.Inf(-1)), v, math.Nextafter(v, math.Inf(1))}
		})...)
		step := func(v time.Duration) []time.Duration { return []time.Duration{v - 1, v, v + 1} }
		p50s = append(p50s, around(r.P50, step)...)
		p99s = append(p99s, around(r.P99, step)...)
	}
	// The 99th percentile is never below the median.
	p99s = append(p99s, p50s...)
	reached := make([]bool, len(rules))
	nodes, rates, p50s, p99s = tidy(nodes, 1), tidy(rates, 0), tidy(p50s, 0), tidy(p99s, 0)
	for _, parted := range []bool{false, true} {
		for _, n := range nodes {
			for _, rate := range rates {
				for _, p50 := range p50s {
					for _, p99 := range p99s {
						if p99 < p50 {
							continue
						}
						// Of no topology: whatever it is, the way in must be open.
						m := Metrics{Topology: none, Nodes: n, Rate: rate, P50: p50, P99: p99, Parted: parted}
						if i := first(rules, m); i >= 0 {
							reached[i] = true
						}
					}
				}
			}
		}
	}
	var never []int
	for i, ok := range reached {
		if !ok {
			never = append(never, i)
		}
	}
	return never
}

// around returns what lies around the thresholds of r.
func around[T Number](r Range[T], step func(T) []T) (values []T) {
	var none Band[T]
	for _, band := range []Band[T]{r.Above, r.Below} {
		if band != none {
			values = append(values, step(band.Enter)...)
		}
	}
	return values
}

// tidy sorts values and drops those that are less than least, or double.
func tidy[T Number](values []T, least T) []T {
	values = slices.DeleteFunc(values, func(v T) bool { return v < least })
	slices.Sort(values)
	return slices.Compact(values)
}
