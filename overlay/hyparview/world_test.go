package hyparview

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// world is a small network of cores, driven by one seed on one goroutine. It
// does what the driver and TCP would do: it links, delays, breaks, and lets
// both ends know sooner or later, in the order of what happens to a link.
type world struct {
	t       testing.TB
	rng     *rand.Rand
	now     time.Time
	queue   timeline.Timeline[func()]
	cfg     Config
	places  []*place
	pairs   map[[2]int]*pair
	cut     func(a, b int) bool // partitioned
	loss    int                 // per mille of messages that are lost
	latency func(a, b int) time.Duration
	silent  bool // machines without a node do not answer
	checked bool // invariants are checked after every step
	trace   *strings.Builder
	steps   int
	sends   int
	dials   int
}

// place is an address and the node that runs there, if any.
type place struct {
	index int
	node  overlay.Node
	core  *Core
	tick  time.Time
	ups   map[overlay.Node]bool // what NeighborUp and NeighborDown have said
}

// pair is what is between two places. A link has a number; an end that does not
// have it does not know of the link yet, or no more.
type pair struct {
	link    int          // the last
	ends    [2]int       // of the lower place and the higher: which link it has
	dialler int          // of the last link
	last    [2]time.Time // when the last happening reaches each end
}

// newWorld returns a world without nodes. cfg is every node's, besides Self,
// Seeds and Rand.
func newWorld(t testing.TB, seed uint64, cfg Config) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), now: epoch, cfg: cfg,
		pairs: make(map[[2]int]*pair), cut: func(a, b int) bool { return false },
	}
	w.latency = func(a, b int) time.Duration { return time.Duration(1+w.rng.IntN(50)) * time.Millisecond }
	return w
}

func placeName(i int) string { return fmt.Sprintf("n%d", i) }

// boot starts a node at a place, with seeds at other places.
func (w *world) boot(i int, seeds ...int) {
	for len(w.places) <= i {
		w.places = append(w.places, &place{index: len(w.places)})
	}
	p := w.places[i]
	cfg := w.cfg
	cfg.Self = overlay.Node{Name: placeName(i) + "@" + placeName(i), Boot: p.node.Boot + 1}
	cfg.Rand = rand.New(rand.NewPCG(w.rng.Uint64(), uint64(i)))
	for _, s := range seeds {
		cfg.Seeds = append(cfg.Seeds, placeName(s))
	}
	core, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	p.node, p.core, p.tick, p.ups = cfg.Self, core, time.Time{}, make(map[overlay.Node]bool)
	w.carryOut(p, core.Tick(w.now))
}

// crash ends a node without a word. Its links end too.
func (w *world) crash(i int) {
	w.places[i].core = nil
	for j := range w.places {
		if p := w.pairs[key(i, j)]; p != nil && j != i {
			w.unlink(i, j)
		}
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

func (w *world) pair(a, b int) *pair {
	p := w.pairs[key(a, b)]
	if p == nil {
		p = &pair{}
		w.pairs[key(a, b)] = p
	}
	return p
}

func (w *world) after(d time.Duration, do func()) {
	w.queue.Put(w.now.Add(d), do)
}

// reach does something at place to that comes from place from, after
// everything that came from there before.
func (w *world) reach(from, to int, do func()) {
	p, at := w.pair(from, to), w.now.Add(w.latency(from, to))
	s := side(to, from)
	if at.Before(p.last[s]) {
		at = p.last[s]
	}
	p.last[s] = at
	w.after(at.Sub(w.now), do)
}

// place returns where the node of that address is; nil if there is none.
func (w *world) place(addr string) *place {
	i, err := strconv.Atoi(strings.TrimPrefix(addr, "n"))
	if err != nil || i < 0 || i >= len(w.places) {
		return nil
	}
	return w.places[i]
}

func (w *world) live(p *place, node overlay.Node) bool {
	return p != nil && p.core != nil && p.node == node
}

// tell gives an event to the node at a place, if it is still that one.
func (w *world) tell(i int, node overlay.Node, ev overlay.Event) {
	if p := w.places[i]; w.live(p, node) {
		w.carryOut(p, p.core.Step(w.now, ev))
	}
}

func (w *world) carryOut(p *place, effects overlay.Effects) {
	self, core := p.node, p.core
	if w.steps++; w.checked && w.steps%4 == 0 {
		if err := core.valid(); err != nil {
			w.t.Fatalf("%v: %v", self, err)
		}
	}
	for _, e := range effects {
		if w.trace != nil {
			fmt.Fprintf(w.trace, "%v %s: %s\n", w.now.Sub(epoch).Round(time.Millisecond), name(self), describe(e))
		}
		switch e := e.(type) {
		case overlay.Probe:
			w.probe(p, self, e.Addr)
		case overlay.Dial:
			w.dials++
			w.after(w.latency(p.index, p.index), func() { w.dial(p, self, e.Node) })
		case overlay.Send:
			w.sends++
			w.send(p, e)
		case overlay.Disconnect:
			if to := w.place(e.Node.Addr()); to != nil {
				w.unlink(p.index, to.index)
			}
		case overlay.Measure:
			w.measure(p, self, e.Node)
		case overlay.NeighborUp:
			if p.ups[e.Node] {
				w.t.Fatalf("%v: %v is up twice", self, e.Node)
			}
			p.ups[e.Node] = true
		case overlay.NeighborDown:
			if !p.ups[e.Node] {
				w.t.Fatalf("%v: %v is down, but was not up", self, e.Node)
			}
			delete(p.ups, e.Node)
		}
	}
	if next := core.Deadline(); !next.IsZero() && !next.Equal(p.tick) {
		p.tick = next
		w.after(max(0, next.Sub(w.now)), func() {
			if p.core == core && p.tick.Equal(next) {
				p.tick = time.Time{}
				w.carryOut(p, core.Tick(w.now))
			}
		})
	}
}

func (w *world) probe(p *place, self overlay.Node, addr string) {
	to := w.place(addr)
	switch {
	case to != nil && to.index == p.index:
		w.after(time.Millisecond, func() { w.tell(p.index, self, overlay.Found{Addr: addr, Node: self}) })
	case to != nil && w.cut(p.index, to.index):
		w.after(3*time.Second, func() { w.tell(p.index, self, overlay.ProbeFailed{Addr: addr}) })
	case to == nil:
		w.after(time.Millisecond, func() { w.tell(p.index, self, overlay.ProbeFailed{Addr: addr}) })
	default:
		w.after(2*w.latency(p.index, to.index), func() {
			if to.core == nil {
				w.tell(p.index, self, overlay.ProbeFailed{Addr: addr})
			} else {
				w.tell(p.index, self, overlay.Found{Addr: addr, Node: to.node})
			}
		})
	}
}

func (w *world) dial(from *place, self, node overlay.Node) {
	to := w.place(node.Addr())
	if !w.live(from, self) {
		return
	}
	if to != nil && to.core == nil && w.silent {
		w.after(3*time.Second, func() { w.tell(from.index, self, overlay.DialFailed{Node: node}) })
		return
	}
	if to == nil || to.core == nil || to.index == from.index {
		w.tell(from.index, self, overlay.DialFailed{Node: node, Refused: true})
		return
	}
	p, i, j := w.pair(from.index, to.index), from.index, to.index
	switch {
	case w.cut(i, j):
		w.after(3*time.Second, func() { w.tell(i, self, overlay.DialFailed{Node: node}) })
	case to.node != node:
		w.tell(i, self, overlay.DialFailed{Node: node, Refused: true})
		w.tell(i, self, overlay.Met{Node: to.node})
	case p.ends[side(j, i)] != 0 && p.dialler == j && w.rng.IntN(2) == 0:
		// The other way round already, and the dialler does not know yet.
		w.tell(i, self, overlay.DialFailed{Node: node, Alive: true})
	default:
		p.link++
		p.dialler = i
		link := p.link
		for _, end := range [][2]int{{i, j}, {j, i}} {
			me, other := end[0], end[1]
			mine, theirs := w.places[me].node, w.places[other].node
			w.reach(other, me, func() {
				if link != p.link || !w.live(w.places[me], mine) {
					return
				}
				p.ends[side(me, other)] = link
				w.tell(me, mine, overlay.LinkUp{Node: theirs, Accepted: me == j})
			})
		}
	}
}

// unlink closes place a's end of its link to b. The other end learns of it a
// little later, after what was sent to it, unless the two are partitioned.
func (w *world) unlink(a, b int) {
	p := w.pair(a, b)
	link := p.ends[side(a, b)]
	p.ends[side(a, b)] = 0
	if link == 0 {
		link = p.link
		p.link++ // if it is being made, it comes too late
	}
	node, peer := w.places[b].node, w.places[a].node
	if !w.cut(a, b) {
		w.reach(a, b, func() { w.closeEnd(b, a, link, node, peer) })
	}
}

func (w *world) closeEnd(me, other, link int, node, peer overlay.Node) {
	p := w.pair(me, other)
	if p.ends[side(me, other)] == link && link != 0 {
		p.ends[side(me, other)] = 0
		w.tell(me, node, overlay.LinkDown{Node: peer})
	}
}

// sever breaks the link between two places, for both ends.
func (w *world) sever(a, b int) {
	for _, end := range [][2]int{{a, b}, {b, a}} {
		me, other := end[0], end[1]
		node, peer := w.places[me].node, w.places[other].node
		link := w.pair(a, b).ends[side(me, other)]
		w.reach(other, me, func() { w.closeEnd(me, other, link, node, peer) })
	}
}

func (w *world) send(from *place, e overlay.Send) {
	to := w.place(e.To.Addr())
	if to == nil || to.index == from.index {
		return
	}
	i, j, self := from.index, to.index, from.node
	p := w.pair(i, j)
	link := p.ends[side(i, j)]
	if link == 0 || w.rng.IntN(1000) < w.loss {
		return
	}
	w.reach(i, j, func() {
		if p.ends[side(j, i)] == link && !w.cut(i, j) {
			w.tell(j, e.To, overlay.Received{From: self, Message: e.Message})
		}
	})
}

func (w *world) measure(from *place, self, node overlay.Node) {
	to := w.place(node.Addr())
	if to == nil || w.cut(from.index, to.index) {
		return
	}
	rtt := 2 * w.latency(from.index, to.index)
	w.after(rtt, func() {
		if w.live(to, node) {
			w.tell(from.index, self, overlay.RTT{Node: node, RTT: rtt})
		}
	})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	until := w.now.Add(d)
	for at, do, ok := w.queue.Take(until); ok; at, do, ok = w.queue.Take(until) {
		w.now = at
		do()
	}
	w.now = until
}

// grow starts n nodes, every so often one, with one that is there for a seed.
func (w *world) grow(n int, every time.Duration) {
	for i := range n {
		w.boot(i, w.rng.IntN(max(i, 1)))
		w.run(every)
	}
}

// partition splits the world: links across it break for both ends.
func (w *world) partition(cut func(a, b int) bool) {
	var across [][2]int
	for k := range w.pairs {
		if cut(k[0], k[1]) {
			across = append(across, k)
		}
	}
	slices.SortFunc(across, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for _, k := range across {
		w.sever(k[0], k[1])
	}
	w.cut = cut
}
