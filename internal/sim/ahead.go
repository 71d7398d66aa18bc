package sim

import (
	"slices"
	"sync"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/plumtree"
)

// What nodes do within the least time that a message takes cannot concern each other. So
// the cores of different nodes take their steps at once, on several processors, and what
// comes of these, with all that is random outside of them and all that is written down,
// happens in the order of the events: their course is the same as on one.

const (
	// stretch is how many events are looked at together at most, and fewest how many at
	// least for each worker: to wake it takes as long as some steps.
	stretch = 1024
	fewest  = 32
	// glance is how many of them are looked at before their nodes take a step: as many as
	// the caches of a processor hold the nodes of.
	glance = 16
)

// ahead has nodes take their steps ahead of time. Each node is one worker's; the first
// worker is who runs the world.
type ahead struct {
	world    *world
	workers  []*worker
	busy     sync.WaitGroup
	steps    []step // of each event in a batch
	next     int    // of these
	foreseen int    // steps that were made use of
	left     int    // events until the next batch, if no others come between
	until    int64  // the time of the last event in the batch
	batch    uint32 // its number, which is even
	marks    []uint32
}

// A mark is of one node. It is the number of the last batch in which the node has taken a step,
// and one more if it takes no more of them: what comes of that one may change a later one.
const spent = 1

// worker is one processor's share: its nodes, and what these have in common.
type worker struct {
	names   overlay.NodePool // all nodes, to all
	records directory.Pool   // what is known of them
	begin   chan struct{}
	events  []ref // of a batch
	places  []int // of these, in it
	glimpse uint64
}

// step is what the core of a node has done when its event had not happened yet.
type step struct {
	seq     uint64 // of the event
	taken   bool
	effects overlay.Effects
	tree    plumtree.Effects
	due     int64 // when the core wants to be called next
}

// newAhead returns one that has begun, and must be ended.
func newAhead(w *world) *ahead {
	a := &ahead{world: w}
	for i := range w.cfg.Workers {
		k := &worker{begin: make(chan struct{})}
		a.workers = append(a.workers, k)
		if i > 0 {
			go func() {
				for range k.begin {
					a.work(k)
					a.busy.Done()
				}
			}()
		}
	}
	return a
}

func (a *ahead) end() {
	for _, k := range a.workers {
		close(k.begin)
	}
}

// of returns the worker of node i.
func (a *ahead) of(i int32) *worker { return a.workers[int(i)%len(a.workers)] }

// look has the nodes of the next events take their steps, if these are many. If not, or if
// what comes of one could concern another, they are only warmed.
func (a *ahead) look(until int64) {
	if a.left--; a.left > 0 || a.next < len(a.steps) {
		return
	}
	w := a.world
	batch := w.queue.peek(stretch, until)
	a.steps, a.next = a.steps[:0], 0
	if len(a.workers) == 1 || len(batch) < w.cfg.fewest*len(a.workers) || w.queue.width() > w.soonest() {
		batch = batch[:min(glance, len(batch))]
		a.left = len(batch)
		a.warm(a.workers[0], batch)
		return
	}
	a.left = len(batch)
	a.share(batch)
	a.busy.Add(len(a.workers) - 1)
	for _, k := range a.workers[1:] {
		k.begin <- struct{}{}
	}
	a.work(a.workers[0])
	a.busy.Wait()
}

// share gives each worker its part of the batch.
func (a *ahead) share(batch []ref) {
	a.steps = slices.Grow(a.steps, len(batch))[:len(batch)]
	clear(a.steps)
	if n := len(a.world.nodes); len(a.marks) < n {
		a.marks = append(a.marks, make([]uint32, n-len(a.marks))...)
	}
	a.batch += 2
	a.until = batch[len(batch)-1].at
	for place, r := range batch {
		k := a.of(a.world.queue.events[r.id].to)
		k.events, k.places = append(k.events, r), append(k.places, place)
	}
}

// work takes the steps of k's nodes.
func (a *ahead) work(k *worker) {
	for n, r := range k.events {
		if n%glance == 0 {
			a.warm(k, k.events[n:min(n+glance, len(k.events))])
		}
		e, s := &a.world.queue.events[r.id], &a.steps[k.places[n]]
		s.seq = r.seq
		mark := &a.marks[e.to]
		if *mark == a.batch|spent {
			continue
		}
		if e.kind != timer || *mark != a.batch { // else when it is due may have changed
			a.world.foresee(e, s)
		}
		*mark = a.batch
		if !s.taken || !s.alone(a.world, e, a.until) {
			*mark |= spent
		}
	}
	k.events, k.places = k.events[:0], k.places[:0]
}

// warm reads what events are about: what each node is made of lies anywhere in gigabytes,
// and the processor waits for all of it at once here, for one after the other otherwise. It
// changes nothing.
func (a *ahead) warm(k *worker, events []ref) {
	w := a.world
	for _, r := range events { // each loop reads where the one before has led
		k.glimpse += uint64(w.queue.events[r.id].kind)
	}
	for _, r := range events {
		e := &w.queue.events[r.id]
		k.glimpse += uint64(w.nodes[e.to].state)
		if e.kind == message {
			k.glimpse += uint64(w.links.all[e.link].gen)
		}
	}
	for _, r := range events {
		e := &w.queue.events[r.id]
		switch n := &w.nodes[e.to]; {
		case n.state != live || e.kind == flooded:
		case e.protocol == tree:
			n.tree.Deadline()
		case n.whole != nil:
			n.whole.Glance()
		default:
			n.wires.Deadline()
		}
	}
}

// taken returns the step that was taken for an event, nil if none was.
func (a *ahead) taken(e *event) *step {
	for ; a.next < len(a.steps); a.next++ {
		if s := &a.steps[a.next]; s.taken {
			if s.seq != e.seq {
				return nil
			}
			a.next++
			a.foreseen++
			return s
		}
	}
	return nil
}

// foresee takes the step of e's node, if e is of a kind that comes often and is not in vain:
// happen looks at the same. It changes nothing but s, the node's core, what its worker's nodes
// have in common, and what it has said.
func (w *world) foresee(e *event, s *step) {
	n, at := &w.nodes[e.to], w.timeOf(e.at)
	if n.state != live {
		return
	}
	switch e.kind {
	case timer:
		first, second := n.isDue(views, e.at), n.isDue(tree, e.at)
		switch {
		case n.timer != e.at || w.boot(e.to) != e.boot || first == second: // of two, one may change the other
		case first:
			s.tell(w, n, at, nil)
		default:
			s.tellTree(w, n, at, nil)
		}
	case message:
		from, ok := w.sender(e)
		switch {
		case !ok:
		case e.protocol == tree:
			s.tellTree(w, n, at, plumtree.Received{From: from, Message: e.message.(plumtree.Message)})
		default:
			s.tell(w, n, at, overlay.Received{From: from, Message: e.message})
		}
	case posted:
		if !w.parted(e.from, e.to) && w.runs(e.to, e.boot) {
			s.tell(w, n, at, overlay.Received{From: w.who(e.from, e.gen), Message: e.message})
		}
	}
}

// alone reports whether nothing comes of s that could change what happens to its node until
// then: no link is closed, and no timer set.
func (s *step) alone(w *world, e *event, until int64) bool {
	n := &w.nodes[e.to]
	if e.kind == timer || s.due != 0 && s.due <= until && (n.timer == 0 || n.timer > s.due) {
		return false
	}
	for _, effect := range s.effects {
		switch effect.(type) {
		case overlay.Send, overlay.Post, overlay.Up, overlay.Deliver, overlay.Report:
		default:
			return false
		}
	}
	return true
}

// tell gives n's topology, or all of n, an event; nil is that time has passed.
func (s *step) tell(w *world, n *node, at time.Time, ev overlay.Event) {
	core := n.core()
	if ev == nil {
		s.effects = core.Tick(at)
	} else {
		s.effects = core.Step(at, ev)
	}
	s.taken, s.due = true, w.at(core.Deadline())
}

// tellTree gives n's plumtree one.
func (s *step) tellTree(w *world, n *node, at time.Time, ev plumtree.Event) {
	if ev == nil {
		s.tree = n.tree.Tick(at)
	} else {
		s.tree = n.tree.Step(at, ev)
	}
	s.taken, s.due = true, w.at(n.tree.Deadline())
}
