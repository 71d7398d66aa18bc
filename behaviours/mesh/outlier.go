package mesh

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// sample is what an instance did in one interval.
type sample struct {
	calls, failures int
	mean            time.Duration // of the calls that were answered
	ejected         bool          // it is ejected at present
}

// outliers returns the numbers of those samples whose instances are to be
// ejected, the worst first. It is pure.
func outliers(o Outlier, samples []sample) []int {
	ejected := 0
	var rates, means []float64
	for _, s := range samples {
		if s.ejected {
			ejected++
			continue
		}
		if s.calls >= o.Calls {
			rates = append(rates, s.rate())
			if s.mean > 0 {
				means = append(means, float64(s.mean))
			}
		}
	}
	room := int(o.MaxEjected * float64(len(samples)))
	if len(samples) > 1 && o.MaxEjected > 0 {
		room = max(room, 1)
	}
	room -= ejected
	mean, median := average(rates), middle(means)
	type candidate struct {
		at  int
		bad float64
	}
	var worst []candidate
	for i, s := range samples {
		if s.ejected || s.calls < o.Calls {
			continue
		}
		switch rate := s.rate(); {
		case o.Failures > 0 && rate >= o.Failures && (rate > mean || len(rates) == 1):
			worst = append(worst, candidate{i, 1e6 + rate})
		case o.Slower > 0 && len(means) > 2 && float64(s.mean) > o.Slower*median:
			worst = append(worst, candidate{i, float64(s.mean) / median})
		}
	}
	slices.SortStableFunc(worst, func(a, b candidate) int { return cmp.Compare(b.bad, a.bad) })
	var out []int
	for _, c := range worst[:max(0, min(room, len(worst)))] {
		out = append(out, c.at)
	}
	return out
}

func (s sample) rate() float64 {
	if s.calls == 0 {
		return 0
	}
	return float64(s.failures) / float64(s.calls)
}

func average(v []float64) float64 {
	sum := 0.
	for _, x := range v {
		sum += x
	}
	return sum / math.Max(1, float64(len(v)))
}

func middle(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}
