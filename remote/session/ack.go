package session

import "fmt"

// MaxRanges is how many ranges an [Ack] has at most.
const MaxRanges = 16

// endOfNumbers is above every sequence number. At a billion messages a second,
// they last for 292 years.
const endOfNumbers = 1 << 63

// Range is the sequence numbers from First to Last.
type Range struct{ First, Last uint64 }

// Ack says what a receiver has.
type Ack struct {
	// Cumulative is the number up to which everything has been returned by the
	// receiver, or was given up by the sender. Zero means nothing.
	Cumulative uint64
	// Ranges are the lowest ranges that have come beyond a gap: ascending, and
	// apart from Cumulative and one another by at least one number.
	Ranges []Range
}

// valid returns an error if no honest receiver could have made a of numbers
// below next.
func (a Ack) valid(next uint64) error {
	if a.Cumulative >= next {
		return fmt.Errorf("%w: %d of %d", ErrNeverSent, a.Cumulative, next-1)
	}
	if len(a.Ranges) > MaxRanges {
		return fmt.Errorf("%w: an ack with %d ranges", ErrMalformed, len(a.Ranges))
	}
	last := a.Cumulative
	for _, r := range a.Ranges {
		if r.First < last+2 || r.Last < r.First {
			return fmt.Errorf("%w: a range %d-%d after %d", ErrMalformed, r.First, r.Last, last)
		}
		if r.Last >= next {
			return fmt.Errorf("%w: %d of %d", ErrNeverSent, r.Last, next-1)
		}
		last = r.Last
	}
	return nil
}
