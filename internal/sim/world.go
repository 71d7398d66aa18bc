package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/swim"
)

// world is many nodes, what is between them, and what will happen. Everything in
// it follows from its seed.
type world struct {
	cfg    Config
	ctx    context.Context // asked now and then whether to stop
	rng    *rand.Rand
	epoch  time.Time
	now    int64 // nanoseconds since epoch
	delay  float64
	queue  *queue
	nodes  []node
	map2d  []point
	living int
	links  links
	cuts   cuts
	xbot   hyparview.XBot
	book   book
	counts counts
	log    transcript
	missed int // messages that plumtree has given up
	speech speech
	hears  any  // the message that is being received
	calm   bool // nothing goes wrong that could be taken for a failure
	found  []Violation
	beyond int // violations more than are reported
	steps  uint64

	ahead *ahead
	done  *step // of the event that happens, if it was taken ahead of time
}

// counts is how many messages there were, and how often a live node was suspected, or
// declared dead though it could be reached.
type counts struct{ sent, lost, doubled, suspected, evicted uint64 }

// newWorld returns a world, which must be ended.
func newWorld(ctx context.Context, cfg Config) *world {
	w := &world{
		cfg:   cfg,
		ctx:   ctx,
		rng:   rand.New(rand.NewPCG(cfg.Seed, 0x746f706f73)),
		epoch: time.Unix(0, 0).UTC(),
		delay: float64(cfg.Faults.Delay),
		links: links{free: -1},
		nodes: make([]node, 0, cfg.Nodes+cfg.Nodes/8),
		calm:  cfg.Faults.Loss == 0 && 2*cfg.Faults.slowest() < swim.DefaultTimeout,
		log:   transcript{out: cfg.Transcript, hash: offset64},
	}
	w.queue = newQueue(w.soonest())
	w.ahead = newAhead(w)
	return w
}

func (w *world) end() { w.ahead.end() }

// time is the clock of all nodes.
func (w *world) time() time.Time { return w.timeOf(w.now) }

func (w *world) timeOf(at int64) time.Time { return w.epoch.Add(time.Duration(at)) }

// elapsed is how long the world has been.
func (w *world) elapsed() time.Duration { return time.Duration(w.now) }

// pollEvery is after how many events the context is asked.
const pollEvery = 1 << 14

// run lets time pass. It is false if the run is to stop.
func (w *world) run(d time.Duration) bool {
	until := w.now + int64(d)
	for {
		w.ahead.look(until)
		e, ok := w.queue.pop(until)
		if !ok {
			break
		}
		if w.steps++; w.steps%pollEvery == 0 && w.ctx.Err() != nil {
			return false
		}
		w.now, w.done = e.at, w.ahead.taken(&e)
		w.happen(&e)
		if w.done != nil {
			w.violation("order", "node %d has taken a step ahead of time in vain", e.to)
			w.done = nil
		}
	}
	w.now = until
	return w.ctx.Err() == nil
}

// foreseen returns the step that the node which something happens to has taken already, nil
// if it has to be taken now.
func (w *world) foreseen() *step {
	s := w.done
	w.done = nil
	return s
}

// happen does what an event is.
func (w *world) happen(e *event) {
	if e.kind == timer {
		n := &w.nodes[e.to]
		if n.state != live || n.timer != e.at || w.boot(e.to) != e.boot {
			return
		}
		n.timer = 0
		w.note(e)
		w.tick(e.to)
		return
	}
	if e.kind == begins {
		w.start(e.to)
		return
	}
	w.note(e)
	switch e.kind {
	case message, flooded:
		w.receive(e)
	case dialled:
		w.arrive(e)
	case linkUp:
		w.linkedUp(e)
	case dialFailed:
		w.dialFailed(e)
	case linkEnd:
		w.ended(e)
	case unanswered:
		w.gaveUp(e)
	case probed:
		w.probed(e)
	case probeFailed:
		w.probeFailed(e)
	case measured:
		w.measured(e)
	case judged:
		w.judge(e)
	case posted:
		w.posted(e)
	case rejected:
		w.rejected(e)
	}
}

// alive returns a random live node, -1 if there is none.
func (w *world) alive() int32 {
	if w.living == 0 {
		return -1
	}
	for {
		if i := w.rng.IntN(len(w.nodes)); w.nodes[i].state == live {
			return int32(i)
		}
	}
}

// contacts returns the seeds of a node that is about to start.
func (w *world) contacts(n *node) []string {
	var seeds []string
	if w.cfg.Seeds > 0 {
		for i := range min(w.cfg.Seeds, len(w.nodes)) {
			if w.nodes[i].state != absent && &w.nodes[i] != n {
				seeds = append(seeds, w.nodes[i].self.Addr())
			}
		}
		return seeds
	}
	for range w.cfg.Contacts {
		if i := w.rng.IntN(len(w.nodes)); w.nodes[i].state != absent && &w.nodes[i] != n {
			seeds = append(seeds, w.nodes[i].self.Addr())
		}
	}
	if len(seeds) == 0 {
		if i := w.other(n); i >= 0 {
			seeds = append(seeds, w.nodes[i].self.Addr())
		}
	}
	return seeds
}

// other returns a live node that is not n, -1 if there is none.
func (w *world) other(n *node) int32 {
	at := w.rng.IntN(len(w.nodes))
	for k := range w.nodes {
		i := (at + k) % len(w.nodes)
		if m := &w.nodes[i]; m.state == live && m != n {
			return int32(i)
		}
	}
	return -1
}
