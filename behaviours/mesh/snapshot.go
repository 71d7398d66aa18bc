package mesh

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/internal/hash"
)

// snapshot is what a service's instances are at one moment, made ready for
// choosing. It is not changed any more, but what its instances count is.
type snapshot struct {
	breaker   *breaker // of the service
	known     int      // instances of the versions asked for
	balancing Balancing
	ready     []*instance      // by PID
	weights   []uint64         // sums of the weights up to each; with Weighted
	rows      [][]atomic.Int64 // calls under way at ready ones; with LeastConnections
	circle    []*instance      // see walk; with LeastConnections
	ring      *ring            // with ConsistentHash
}

func newSnapshot(known int, ready []*instance, balancing Balancing) *snapshot {
	s := &snapshot{known: known, ready: ready, balancing: balancing}
	s.prepare()
	return s
}

// next is newSnapshot that keeps what has not changed since s.
func (s *snapshot) next(known int, ready []*instance, balancing Balancing) *snapshot {
	if balancing == s.balancing && slices.Equal(ready, s.ready) {
		return &snapshot{known: known, ready: ready, balancing: balancing, weights: s.weights, rows: s.rows, circle: s.circle, ring: s.ring}
	}
	return newSnapshot(known, ready, balancing)
}

// prepare makes what the balancing needs.
func (s *snapshot) prepare() {
	ready, balancing := s.ready, s.balancing
	switch balancing {
	case Weighted:
		sum := uint64(0)
		for _, in := range ready {
			sum += uint64(in.definition.Weight)
			s.weights = append(s.weights, sum)
		}
	case LeastConnections:
		s.rows, s.circle = rows(ready), newCircle(ready)
	case ConsistentHash:
		s.ring = newRing(ready)
	}
}

// circuit is the service's breaker.
func (s *snapshot) circuit() *breaker { return s.breaker }

// chooser is the state of choosing, which outlives snapshots.
type chooser struct {
	turn     atomic.Uint64 // of RoundRobin and Weighted
	random   atomic.Uint64 // SplitMix64's state
	inflight atomic.Int64  // calls under way at all instances
}

// golden is 2^64 divided by the golden ratio: its multiples are spread evenly.
const golden = 0x9e3779b97f4a7c15

// next returns a random number. It is SplitMix64 (Steele, Lea, Flood, OOPSLA
// 2014), which any number of goroutines may step without a lock.
func (c *chooser) next() uint64 {
	return hash.Mix(c.random.Add(golden))
}

// below maps a number of 64 random bits to one below n.
func below(x uint64, n int) int {
	hi, _ := bits.Mul64(x, uint64(n))
	return int(hi)
}

// maxTried is how many instances one call is kept from asking again.
const maxTried = 8

// tried are the instances that a call has asked.
type tried struct {
	n    int
	list [maxTried]*instance
}

func (t *tried) add(in *instance) {
	t.list[t.n%maxTried] = in
	t.n++
}

func (t *tried) has(in *instance) bool {
	for _, other := range t.list[:min(t.n, maxTried)] {
		if other == in {
			return true
		}
	}
	return false
}

// free says whether in can be asked now.
func (s *snapshot) free(in *instance, t *tried, now time.Duration) bool {
	return in.breaker.lets(now) && !in.gone.Load() && (t.n == 0 || !t.has(in))
}

// pick chooses an instance, or nil if none is free. It takes no lock and does
// not allocate. key is the hash of the call's key, and keyed says whether it has one.
func (s *snapshot) pick(c *chooser, key uint64, keyed bool, t *tried, now time.Duration) *instance {
	n := len(s.ready)
	if n == 0 {
		return nil
	}
	var first int
	switch s.balancing {
	case RoundRobin:
		first = int((c.turn.Add(1) - 1) % uint64(n))
	case LeastConnections:
		return s.least(c, t, now)
	case Weighted:
		first = s.weighed(c.turn.Add(1) * golden)
	case ConsistentHash:
		if keyed {
			return s.hashed(c, key, t, now)
		}
		first = below(c.next(), n)
	case PowerOfTwo:
		first = s.better(c, now)
	default:
		first = below(c.next(), n)
	}
	if in := s.ready[first]; s.free(in, t, now) {
		return in
	}
	return s.another(c, first, t, now)
}

// another chooses when the instance at first is not free: the next that is,
// after a random place, so that the first one's neighbor does not get all.
func (s *snapshot) another(c *chooser, first int, t *tried, now time.Duration) *instance {
	n := len(s.ready)
	at := below(c.next(), n)
	for range n {
		if in := s.ready[at]; at != first && s.free(in, t, now) {
			return in
		}
		if at++; at == n {
			at = 0
		}
	}
	return nil
}

// better is the one of two random instances that has less to do.
func (s *snapshot) better(c *chooser, now time.Duration) int {
	n := len(s.ready)
	if n == 1 {
		return 0
	}
	x := c.next()
	a := below(x, n)
	b := below(x*golden, n-1)
	if b >= a {
		b++
	}
	if s.ready[b].load(now) < s.ready[a].load(now) {
		return b
	}
	return a
}

// weighed is the instance whose share of all weights holds the point at: points
// are multiples of the golden ratio, so that the shares come out evenly.
func (s *snapshot) weighed(at uint64) int {
	total := s.weights[len(s.weights)-1]
	point, _ := bits.Mul64(at, total)
	low, high := 0, len(s.weights)-1
	for low < high {
		if mid := (low + high) / 2; s.weights[mid] > point {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// hashed is the first instance on the ring, from the key's place on, that is
// free and has not more than its share of the calls under way, by a quarter.
func (s *snapshot) hashed(c *chooser, key uint64, t *tried, now time.Duration) *instance {
	n := int64(len(s.ready))
	limit := (5*(c.inflight.Load()+1) + 4*n - 1) / (4 * n) // 1.25 times the mean, rounded up
	place := s.ring.place(key)
	var spare *instance
	last := int32(-1)
	for range min(len(s.ring.points), 16*len(s.ready)) {
		at := s.ring.points[place].at
		if at != last {
			in := s.ready[at]
			if s.free(in, t, now) {
				if in.inflight.Load() < limit {
					return in
				}
				if spare == nil {
					spare = in
				}
			}
			last = at
		}
		if place++; place == len(s.ring.points) {
			place = 0
		}
	}
	if spare == nil {
		return s.another(c, -1, t, now)
	}
	return spare
}
