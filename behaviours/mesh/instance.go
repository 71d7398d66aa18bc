package mesh

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/Masterminds/semver/v3"
	"go.opentelemetry.io/otel/attribute"

	"github.com/topos-go/topos/actor"
)

// decay is how fast a latency that was observed loses its weight. Finagle's peak
// EWMA takes 10 s; with that, one late answer, as any scheduler may cause, would
// keep an instance idle for half a minute.
const decay = time.Second

// instance is one process of a service, as seen from this node. It lives as
// long as the process is in the service's group. What calls change is atomic;
// the rest is the pool's.
type instance struct {
	pid        actor.PID
	definition Definition
	version    *semver.Version
	metadata   string // what the definition was read from

	spanAttributes []attribute.KeyValue // if there are spans

	breaker  *breaker
	seat     seat
	inflight *atomic.Int64 // the seat's count
	gone     atomic.Bool   // it has ended, and will never be back

	cost  atomic.Uint64 // peak EWMA of the latency in nanoseconds, as float64 bits
	stamp atomic.Int64  // when that was, in nanoseconds of the mesh's clock

	// What calls from this node came to, since the instance is known.
	calls, failures atomic.Int64
	elapsed         atomic.Int64 // of those that were answered, in nanoseconds

	sick         bool // by its own report
	lost         bool // its node cannot be reached
	ejectedUntil time.Duration
	ejections    int
	watched      bool // by the keeper

	seenCalls, seenFailures, seenElapsed int64 // when the outlier interval began
}

// sit gives the instance its seat.
func (in *instance) sit(s seat) { in.seat, in.inflight = s, s.count() }

// end notes that a call has ended at now, which began at then.
func (in *instance) end(then, now time.Duration, answered, failed bool) {
	in.inflight.Add(-1)
	in.calls.Add(1)
	if failed {
		in.failures.Add(1)
	}
	if answered {
		in.elapsed.Add(int64(now - then))
	}
	in.observe(float64(now-then), now)
}

// observe adds a latency to the peak EWMA. A rise counts at once. Two that are
// observed at the same moment may count as one.
func (in *instance) observe(latency float64, now time.Duration) {
	// What is left of a latency fades once as time passes, and makes room for the
	// new one.
	w := weightAfter(now - time.Duration(in.stamp.Load()))
	cost := math.Float64frombits(in.cost.Load()) * w
	if latency > cost {
		cost = latency
	} else {
		cost += (latency - cost) * (1 - w)
	}
	in.cost.Store(math.Float64bits(cost))
	in.stamp.Store(int64(now))
}

// costAt is the latency as it counts at now. While nothing is observed it fades,
// so that an instance that was slow gets another chance.
func (in *instance) costAt(now time.Duration) float64 {
	return math.Float64frombits(in.cost.Load()) * weightAfter(now-time.Duration(in.stamp.Load()))
}

func weightAfter(d time.Duration) float64 {
	if d <= 0 {
		return 1
	}
	return math.Exp(-float64(d) / float64(decay))
}

// load is what a call would wait for, about: its latency times its place in the
// queue. One that has not answered yet looks idle while nothing is under way,
// and bad as soon as something is, so that it gets one call to prove itself.
func (in *instance) load(now time.Duration) float64 {
	n := float64(in.inflight.Load())
	cost := in.costAt(now)
	if cost == 0 && n > 0 {
		return 1e15 * n
	}
	return cost * (n + 1)
}

// ready says whether the instance may be chosen, its circuit apart.
func (in *instance) ready(now time.Duration) bool {
	return !in.sick && !in.lost && !in.gone.Load() && now >= in.ejectedUntil
}
