package topology

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node.
type Core interface {
	Step(now time.Time, ev overlay.Event) overlay.Effects
	Tick(now time.Time) overlay.Effects
	Deadline() time.Time
	Neighbors() []overlay.Node
	Outdated(node overlay.Node) error
}

// Test is the part of a test that is told what must not be. Fatalf does not return.
type Test interface {
	Fatalf(format string, args ...any)
}

// Protocol says which cores there are.
type Protocol[C Core] struct {
	// New makes the core of the node at place i.
	New func(i int, self overlay.Node, rng *rand.Rand) (C, error)
	// Valid checks the invariants of one.
	Valid func(C) error
	// Say formats a message for a transcript, as Hear reads it.
	Say func(overlay.Message) string
	// Hear reads a message from the words of a transcript. A World needs none.
	Hear func(words []string) (overlay.Message, error)
}

// World is a small network of cores, driven by one seed on one goroutine. It
// does what the driver, TCP and a directory would do: it links, delays, breaks,
// tells who is there, and lets everybody know sooner or later, in the order of what
// happens to a link.
//
// Its fields may be changed between two calls.
type World[C Core] struct {
	Rng    *rand.Rand
	Now    time.Time
	Places []*Place[C]
	Loss   int              // per mille of messages that are lost
	Silent bool             // machines without a node do not answer
	Known  bool             // there is a directory: all are told of all
	Trace  *strings.Builder // takes all effects, unless it is nil

	Sends  int                  // messages
	Dials  map[overlay.Node]int // to nodes that do not run
	Probes map[string]int       // of addresses where nobody is

	t        Test
	protocol Protocol[C]
	queue    timeline.Timeline[func()]
	pairs    map[[2]int]*pair
	cut      func(a, b int) bool // partitioned
	steps    int
}

// Place is an address and the node that runs there, if any.
type Place[C Core] struct {
	Index int
	Node  overlay.Node // the last one
	Core  C            // means nothing unless Runs

	runs bool
	life int // counts the nodes
	tick time.Time
	ups  map[overlay.Node]bool // what NeighborUp and NeighborDown have said
}

// Runs reports whether there is a node.
func (p *Place[C]) Runs() bool { return p.runs }

// pair is what is between two places. A link has a number; an end that does not
// have it does not know of the link yet, or no more.
type pair struct {
	link    int          // the last
	ends    [2]int       // of the lower place and the higher: which link it has
	dialler int          // of the last link
	last    [2]time.Time // when the last happening reaches each end
}

// Epoch is when worlds and stages begin.
func Epoch() time.Time { return time.Unix(0, 0).UTC() }

// NewWorld returns a World of n places, none of which has a node yet. What must not
// be ends t.
func NewWorld[C Core](t Test, seed uint64, n int, protocol Protocol[C]) *World[C] {
	w := &World[C]{
		t: t, Rng: rand.New(rand.NewPCG(seed, 0)), Now: Epoch(), protocol: protocol, pairs: make(map[[2]int]*pair), cut: uncut,
		Dials: make(map[overlay.Node]int), Probes: make(map[string]int),
	}
	for i := range n {
		w.Places = append(w.Places, &Place[C]{Index: i})
	}
	return w
}

// latency draws how long something takes from one place to another.
func (w *World[C]) latency() time.Duration {
	return time.Duration(1+w.Rng.IntN(50)) * time.Millisecond
}

func uncut(int, int) bool { return false }

// PlaceName is the address of place i. The node there is called the same.
func PlaceName(i int) string { return fmt.Sprintf("n%03d", i) }

// Boot starts a node, the next incarnation at its place.
func (w *World[C]) Boot(i int) {
	p := w.Places[i]
	self := overlay.Node{Name: PlaceName(i) + "@" + PlaceName(i), Boot: p.Node.Boot + 1}
	core, err := w.protocol.New(i, self, rand.New(rand.NewPCG(w.Rng.Uint64(), uint64(i))))
	if err != nil {
		w.t.Fatalf("%v: %v", self, err)
	}
	p.Node, p.Core, p.tick, p.ups = self, core, time.Time{}, make(map[overlay.Node]bool)
	p.runs = true
	p.life++
	w.carryOut(p, core.Tick(w.Now))
	for _, q := range w.Alive() {
		if w.Known && q != p && !w.cut(i, q.Index) {
			w.introduce(p, q)
		}
	}
}

// introduce lets two nodes know of each other, as a directory would.
func (w *World[C]) introduce(p, q *Place[C]) {
	for _, pq := range [][2]*Place[C]{{p, q}, {q, p}} {
		me, self, other := pq[0], pq[0].Node, pq[1].Node
		w.after(time.Duration(50+w.Rng.IntN(450))*time.Millisecond, func() { w.Tell(me.Index, self, overlay.Met{Node: other}) })
	}
}

// bury lets everybody who is not cut off from it know that a node is dead.
func (w *World[C]) bury(i int, reason error) {
	node := w.Places[i].Node
	for _, q := range w.Alive() {
		if w.Known && q.Index != i {
			self := q.Node
			w.after(time.Duration(1000+w.Rng.IntN(1000))*time.Millisecond, func() { w.Tell(q.Index, self, overlay.Lost{Node: node, Err: reason}) })
		}
	}
}

// Crash ends a node without a word. Its links end too.
func (w *World[C]) Crash(i int) {
	if !w.Places[i].runs {
		return
	}
	w.Places[i].runs = false
	for j := range w.Places {
		if p := w.pairs[key(i, j)]; p != nil && j != i {
			w.unlink(i, j)
		}
	}
	w.bury(i, overlay.ErrSilent)
}

// Leave ends a node that says so.
func (w *World[C]) Leave(i int) {
	if p := w.Places[i]; p.runs {
		w.Tell(i, p.Node, overlay.LeaveRequested{})
		if len(p.ups) > 0 || len(p.Core.Neighbors()) > 0 || !p.Core.Deadline().IsZero() {
			w.t.Fatalf("%v has left and has neighbors", p.Node)
		}
		w.Run(100 * time.Millisecond)
		w.Crash(i)
	}
}

func key(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// side is the index of place a's end in its pair with b.
func side(a, b int) int {
	if a < b {
		return 0
	}
	return 1
}

func (w *World[C]) pair(a, b int) *pair {
	p := w.pairs[key(a, b)]
	if p == nil {
		p = &pair{}
		w.pairs[key(a, b)] = p
	}
	return p
}

func (w *World[C]) after(d time.Duration, do func()) {
	w.queue.Put(w.Now.Add(d), do)
}

// reach does something at place to that comes from place from, after
// everything that came from there before.
func (w *World[C]) reach(from, to int, do func()) {
	p, at := w.pair(from, to), w.Now.Add(w.latency())
	s := side(to, from)
	if at.Before(p.last[s]) {
		at = p.last[s]
	}
	p.last[s] = at
	w.after(at.Sub(w.Now), do)
}

// Place returns where the node of that address is; nil if there is none.
func (w *World[C]) Place(addr string) *Place[C] {
	i, err := strconv.Atoi(strings.TrimPrefix(addr, "n"))
	if err != nil || i < 0 || i >= len(w.Places) {
		return nil
	}
	return w.Places[i]
}

// Live reports whether node runs at p, which may be nil.
func (w *World[C]) Live(p *Place[C], node overlay.Node) bool {
	return p != nil && p.runs && p.Node == node
}

// Tell gives an event to the node at a place, if it is still that one.
func (w *World[C]) Tell(i int, node overlay.Node, ev overlay.Event) {
	if p := w.Places[i]; w.Live(p, node) {
		w.carryOut(p, p.Core.Step(w.Now, ev))
	}
}

// Run lets time pass.
func (w *World[C]) Run(d time.Duration) {
	until := w.Now.Add(d)
	for at, do, ok := w.queue.Take(until); ok; at, do, ok = w.queue.Take(until) {
		w.Now = at
		do()
	}
	w.Now = until
}

// Until lets time pass until all is well, and returns how long it took.
func (w *World[C]) Until(limit, step time.Duration, well func() error) time.Duration {
	begin := w.Now
	for {
		err := well()
		if err == nil {
			return w.Now.Sub(begin)
		}
		if w.Now.Sub(begin) >= limit {
			w.t.Fatalf("after %v: %v", limit, err)
		}
		w.Run(step)
	}
}

// Grow starts all nodes, every so often one.
func (w *World[C]) Grow(every time.Duration) {
	for i := range w.Places {
		w.Boot(i)
		w.Run(every)
	}
}

// Alive returns the places at which nodes run.
func (w *World[C]) Alive() []*Place[C] {
	var alive []*Place[C]
	for _, p := range w.Places {
		if p.runs {
			alive = append(alive, p)
		}
	}
	return alive
}
