package sim

import (
	"math"
	"time"
)

// point is where a node is, in a square map of side 1.
type point struct{ x, y float32 }

// meanDistance is that of two random points of a square of side 1.
const meanDistance = 0.5214

// nearest is the part of the mean delay that a message takes even to a node at
// the same place.
const nearest = 0.1

// latency returns how long something takes from i to j this time. It does not
// depend on the direction, but for jitter.
func (w *world) latency(i, j int32) int64 {
	base := w.base(i, j)
	return base + int64(w.rng.Float64()*w.cfg.Faults.Jitter*float64(base)) + 1
}

// base is the least time from i to j.
func (w *world) base(i, j int32) int64 {
	p, q := w.map2d[i], w.map2d[j]
	dx, dy := float64(p.x-q.x), float64(p.y-q.y)
	return int64(w.delay * (nearest + (1-nearest)/meanDistance*math.Sqrt(dx*dx+dy*dy)))
}

// soonest is the least time from any node to any other.
func (w *world) soonest() int64 { return int64(w.delay * nearest) }

const (
	// answerTimeout is how long a dial or probe waits for a machine that does
	// not answer: remote's DialTimeout.
	answerTimeout = int64(3 * time.Second)
	// ackTimeout is how long TCP waits for an acknowledgement: remote's, for
	// three heartbeats.
	ackTimeout = int64(3 * time.Second)
	// handshake is how many times the way between two nodes a link takes to be
	// proven to the one who accepts.
	handshake = 3
)
