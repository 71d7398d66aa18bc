package clientserver

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// world is a small network of cores, driven by one seed on one goroutine. It
// does what the driver, TCP and a directory would do: it links, delays, breaks,
// tells who is there, and lets everybody know sooner or later, in the order of what
// happens to a link.
type world struct {
	t       testing.TB
	rng     *rand.Rand
	now     time.Time
	queue   timeline
	seq     int
	cfg     func(i int) Config // of the node at place i; without Self, Rand
	places  []*place
	pairs   map[[2]int]*pair
	cut     func(a, b int) bool // partitioned
	loss    int                 // per mille of messages that are lost
	silent  bool                // machines without a node do not answer
	known   bool                // there is a directory: all are told of all
	latency func() time.Duration
	trace   *strings.Builder
	steps   int
	sends   int
	dials   map[overlay.Node]int // to nodes that do not run
	probes  map[string]int       // of addresses where nobody is
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

type happening struct {
	at  time.Time
	seq int
	do  func()
}

type timeline []happening

func (q timeline) Len() int { return len(q) }
func (q timeline) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}
func (q timeline) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *timeline) Push(x any)   { *q = append(*q, x.(happening)) }
func (q *timeline) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = happening{}
	*q = (*q)[:len(*q)-1]
	return last
}

var epoch = time.Unix(0, 0).UTC()

// newWorld returns a world of n places, none of which has a node yet.
func newWorld(t testing.TB, seed uint64, n int, cfg func(i int) Config) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), now: epoch, cfg: cfg, pairs: make(map[[2]int]*pair), cut: uncut,
		dials: make(map[overlay.Node]int), probes: make(map[string]int),
	}
	w.latency = func() time.Duration { return time.Duration(1+w.rng.IntN(50)) * time.Millisecond }
	for i := range n {
		w.places = append(w.places, &place{index: i})
	}
	return w
}

func uncut(int, int) bool { return false }

func placeName(i int) string { return fmt.Sprintf("n%03d", i) }

// boot starts a node, the next incarnation at its place.
func (w *world) boot(i int) {
	p := w.places[i]
	cfg := w.cfg(i)
	cfg.Self = overlay.Node{Name: placeName(i) + "@" + placeName(i), Boot: p.node.Boot + 1}
	cfg.Rand = rand.New(rand.NewPCG(w.rng.Uint64(), uint64(i)))
	core, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	p.node, p.core, p.tick, p.ups = cfg.Self, core, time.Time{}, make(map[overlay.Node]bool)
	w.carryOut(p, core.Tick(w.now))
	for _, q := range w.alive() {
		if w.known && q != p && !w.cut(i, q.index) {
			w.introduce(p, q)
		}
	}
}

// introduce lets two nodes know of each other, as a directory would.
func (w *world) introduce(p, q *place) {
	for _, pq := range [][2]*place{{p, q}, {q, p}} {
		me, self, other := pq[0], pq[0].node, pq[1].node
		w.after(time.Duration(50+w.rng.IntN(450))*time.Millisecond, func() { w.tell(me.index, self, overlay.Met{Node: other}) })
	}
}

// bury lets everybody who is not cut off from it know that a node is dead.
func (w *world) bury(i int, reason error) {
	node := w.places[i].node
	for _, q := range w.alive() {
		if w.known && q.index != i {
			self := q.node
			w.after(time.Duration(1000+w.rng.IntN(1000))*time.Millisecond, func() { w.tell(q.index, self, overlay.Lost{Node: node, Err: reason}) })
		}
	}
}

// crash ends a node without a word. Its links end too.
func (w *world) crash(i int) {
	if w.places[i].core == nil {
		return
	}
	w.places[i].core = nil
	for j := range w.places {
		if p := w.pairs[key(i, j)]; p != nil && j != i {
			w.unlink(i, j)
		}
	}
	w.bury(i, overlay.ErrSilent)
}

// leave ends a node that says so.
func (w *world) leave(i int) {
	if p := w.places[i]; p.core != nil {
		w.tell(i, p.node, overlay.LeaveRequested{})
		if len(p.ups) > 0 || len(p.core.Neighbors()) > 0 || !p.core.Deadline().IsZero() {
			w.t.Fatalf("%v has left and has neighbors", p.node)
		}
		w.run(100 * time.Millisecond)
		w.crash(i)
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
	w.seq++
	heap.Push(&w.queue, happening{w.now.Add(d), w.seq, do})
}

// reach does something at place to that comes from place from, after
// everything that came from there before.
func (w *world) reach(from, to int, do func()) {
	p, at := w.pair(from, to), w.now.Add(w.latency())
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

// run lets time pass.
func (w *world) run(d time.Duration) {
	until := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(until) {
		h := heap.Pop(&w.queue).(happening)
		w.now = h.at
		h.do()
	}
	w.now = until
}

// until lets time pass until all is well, and returns how long it took.
func (w *world) until(limit, step time.Duration, well func() error) time.Duration {
	begin := w.now
	for {
		err := well()
		if err == nil {
			return w.now.Sub(begin)
		}
		if w.now.Sub(begin) >= limit {
			w.t.Fatalf("after %v: %v", limit, err)
		}
		w.run(step)
	}
}

// grow starts all nodes, every so often one.
func (w *world) grow(every time.Duration) {
	for i := range w.places {
		w.boot(i)
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
	w.across(func(p, q *place) {
		self := p.node
		w.after(time.Duration(1000+w.rng.IntN(1000))*time.Millisecond, func() {
			w.tell(p.index, self, overlay.Lost{Node: q.node, Err: overlay.ErrSilent})
		})
	})
}

// heal ends a partition. A directory learns of it once two nodes have a link
// across; here it is told after a while.
func (w *world) heal(meet bool) {
	if meet {
		w.across(func(p, q *place) {
			if p.index < q.index {
				w.introduce(p, q)
			}
		})
	}
	w.cut = uncut
}

// across visits the live nodes that are cut off from each other, if there is a
// directory.
func (w *world) across(visit func(p, q *place)) {
	for _, p := range w.alive() {
		for _, q := range w.alive() {
			if w.known && p != q && w.cut(p.index, q.index) {
				visit(p, q)
			}
		}
	}
}

func (w *world) alive() []*place {
	var alive []*place
	for _, p := range w.places {
		if p.core != nil {
			alive = append(alive, p)
		}
	}
	return alive
}

// sound checks what must hold whenever nothing is under way: neighbors are
// symmetric, live, and linked, and every core keeps its invariants.
func (w *world) sound() error {
	for _, p := range w.alive() {
		if err := p.core.valid(); err != nil {
			return fmt.Errorf("%v: %w", p.node, err)
		}
		for _, n := range p.core.Neighbors() {
			q := w.place(n.Addr())
			if !w.live(q, n) {
				return fmt.Errorf("%v has the dead neighbor %v", p.node, n)
			}
			if !slices.Contains(q.core.Neighbors(), p.node) {
				return fmt.Errorf("%v has the neighbor %v, which does not have it", p.node, n)
			}
			if l := w.pair(p.index, q.index); l.ends[0] == 0 || l.ends[0] != l.ends[1] {
				return fmt.Errorf("%v and %v are not linked", p.node, n)
			}
		}
	}
	return nil
}
