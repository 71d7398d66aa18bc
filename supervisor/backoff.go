package supervisor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Backoff puts a growing delay before each restart of a child, so that what it
// needs can recover, and spreads it, so that many children do not come back in
// the same moment. OTP has nothing like it.
//
// The first restart waits for Initial, each further one Factor times as long,
// up to Max. A run of at least ResetAfter makes the next delay Initial again.
// While a child waits it is [Restarting]; restarts still count for the
// supervisor's Intensity.
type Backoff struct {
	// Initial is the first delay. Zero means no Backoff at all.
	Initial time.Duration
	// Max bounds the delay. Zero means DefaultBackoffMax, or Initial if that
	// is longer.
	Max time.Duration
	// Factor is the growth from one restart to the next. Zero means
	// DefaultBackoffFactor; 1 is a constant delay.
	Factor float64
	// Jitter is the part of each delay, from 0 to 1, that is left to chance:
	// with 0.2 a delay of 10 s becomes something between 8 s and 10 s.
	Jitter float64
	// ResetAfter is how long a child must have run for its past restarts to be
	// forgotten. Zero means Max.
	ResetAfter time.Duration
}

// Defaults of [Backoff].
const (
	// DefaultBackoffMax is long enough to spare a service that is down, short
	// enough for a person who has just repaired it.
	DefaultBackoffMax = 30 * time.Second
	// DefaultBackoffFactor doubles, as is usual.
	DefaultBackoffFactor = 2
)

func (b Backoff) mistakes() []string {
	var all []string
	report := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if b.Initial < 0 {
		report("Backoff.Initial %v is negative", b.Initial)
	}
	if b.Max < 0 || b.Max > 0 && b.Max < b.Initial {
		report("Backoff.Max %v is less than Backoff.Initial %v", b.Max, b.Initial)
	}
	if b.Factor != 0 && !(b.Factor >= 1) || math.IsInf(b.Factor, 1) {
		report("Backoff.Factor %v is not a number from 1 on", b.Factor)
	}
	if !(b.Jitter >= 0 && b.Jitter <= 1) {
		report("Backoff.Jitter %v is not between 0 and 1", b.Jitter)
	}
	if b.ResetAfter < 0 {
		report("Backoff.ResetAfter %v is negative", b.ResetAfter)
	}
	if b.Initial == 0 && b != (Backoff{}) {
		report("Backoff without Initial")
	}
	return all
}

func (b Backoff) max() time.Duration {
	if b.Max == 0 {
		return max(DefaultBackoffMax, b.Initial)
	}
	return b.Max
}

// forgets reports whether a run of that length makes the past forgotten.
func (b Backoff) forgets(run time.Duration) bool {
	if b.ResetAfter == 0 {
		return run >= b.max()
	}
	return run >= b.ResetAfter
}

// delay is how long to wait before the n-th restart in a row, counted from 0.
func (b Backoff) delay(n int, rng *rand.Rand) time.Duration {
	if b.Initial == 0 {
		return 0
	}
	factor := b.Factor
	if factor == 0 {
		factor = DefaultBackoffFactor
	}
	d := b.max()
	if grown := float64(b.Initial) * math.Pow(factor, float64(n)); grown < float64(d) {
		d = time.Duration(grown)
	}
	if b.Jitter > 0 {
		d -= time.Duration(float64(d) * b.Jitter * rng.Float64())
	}
	return d
}
