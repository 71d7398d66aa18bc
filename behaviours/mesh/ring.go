package mesh

import (
	"cmp"
	"slices"

	"github.com/topos-go/topos/internal/hash"
)

// places is how many places an instance of weight 1 has on the ring: enough for
// shares to be equal to within a few percent.
const places = 256

// maxPlaces bounds the ring whatever the weights.
const maxPlaces = 1 << 17

// ring is the circle of hashes for consistent hashing. Each instance stands at
// places that depend only on its PID, so that the coming and going of others
// moves nothing between those that stay.
type ring struct {
	points []point
	// index has, for each value of a hash's highest bits, the first point that
	// is not before it: one step instead of a search.
	index []int32
	shift uint
}

type point struct {
	hash uint64
	at   int32 // in snapshot.ready
}

func newRing(ready []*instance) *ring {
	r := &ring{}
	each := func(in *instance) int { return places * in.definition.Weight }
	total := 0
	for _, in := range ready {
		total += each(in)
	}
	halved := 0 // whole steps, so that one instance more rarely changes the others' places
	for total>>halved > maxPlaces {
		halved++
	}
	for i, in := range ready {
		seed := hash.Of(in.pid.String())
		for k := range max(1, each(in)>>halved) {
			r.points = append(r.points, point{hash.Mix(seed + uint64(k+1)*golden), int32(i)})
		}
	}
	slices.SortFunc(r.points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.at, b.at))
	})
	r.shift = 64
	for size := 1; size < len(r.points); size *= 2 {
		r.shift--
	}
	if r.shift == 64 {
		return r
	}
	r.index = make([]int32, 1<<(64-r.shift))
	next := 0
	for i := range r.index {
		for next < len(r.points) && r.points[next].hash < uint64(i)<<r.shift {
			next++
		}
		r.index[i] = int32(next)
	}
	return r
}

// place is the first point that is not before hash, around the circle.
func (r *ring) place(hash uint64) int {
	at := 0
	if r.index != nil {
		at = int(r.index[hash>>r.shift])
	}
	for at < len(r.points) && r.points[at].hash < hash {
		at++
	}
	if at == len(r.points) {
		return 0
	}
	return at
}
