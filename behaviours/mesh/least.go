package mesh

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/internal/hash"
)

// least is a free instance with the fewest calls under way, any of several.
func (s *snapshot) least(c *chooser, t *tried, now time.Duration) *instance {
	few := int64(math.MaxInt64)
	for _, row := range s.rows {
		few = fewest(row, few)
	}
	w := s.walk(c)
	for in := w.next(); in != nil; in = w.next() {
		if in.inflight.Load() <= few && s.free(in, t, now) {
			return in
		}
	}
	// None of them is free, or others have just taken them all.
	var best *instance
	few = math.MaxInt64
	w = s.walk(c)
	for in := w.next(); in != nil; in = w.next() {
		if n := in.inflight.Load(); n < few && s.free(in, t, now) {
			best, few = in, n
		}
	}
	return best
}

// walk is a way past all instances of a snapshot in which each of several has
// about the same chance to come before the others: around a circle with a prime
// number of places, on which they stand in any order, from a random place on in
// steps of a random length. Past neighbors in steps of one, whoever follows a long
// run of those that are not wanted would always be the first.
type walk struct {
	circle         []*instance // nil: nobody stands there
	at, step, left int
}

func (s *snapshot) walk(c *chooser) walk {
	x, n := c.next(), len(s.circle)
	return walk{s.circle, below(x, n), 1 + below(x<<32, n-1), n}
}

// next returns nil when all have been passed.
func (w *walk) next() *instance {
	for ; w.left > 0; w.left-- {
		in := w.circle[w.at]
		if w.at += w.step; w.at >= len(w.circle) {
			w.at -= len(w.circle)
		}
		if in != nil {
			w.left--
			return in
		}
	}
	return nil
}

// newCircle puts instances on a circle.
func newCircle(instances []*instance) []*instance {
	circle := slices.Grow(slices.Clone(instances), 2)
	slices.SortFunc(circle, func(a, b *instance) int { return cmp.Compare(a.lot(), b.lot()) })
	for !isPrime(len(circle)) {
		circle = append(circle, nil)
	}
	return circle
}

// lot is where the instance stands on a circle: anywhere, but always there.
func (in *instance) lot() uint64 {
	return hash.Mix(in.pid.ID() + hash.Of(in.pid.Node().Name))
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}
