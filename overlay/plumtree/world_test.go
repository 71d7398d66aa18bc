package plumtree

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

var epoch = time.Unix(0, 0).UTC()

// world is many cores in one goroutine, with links that take a while, lose
// messages and break. Everything in it follows from its seed.
type world struct {
	t      testing.TB
	rng    *rand.Rand
	cfg    Config // of every core, apart from Self and Rand
	now    time.Time
	queue  timeline.Timeline[item]
	hosts  []*host
	links  map[[2]int]time.Duration // lesser host first; how long a message takes
	loss   float64
	notice time.Duration      // within which both sides of a link that breaks notice that
	side   func(host int) int // hosts on different sides do not reach each other
	sent   map[ID]time.Time   // broadcasts, and when they were made
	log    interface {
		Write([]byte) (int, error)
		Sum64() uint64
	}
	check bool // the invariants, after every step
}

// host is one place in the world, where one incarnation runs after another.
type host struct {
	at        int
	node      overlay.Node
	core      *Core
	wake      time.Time
	began     time.Time
	delivered map[ID]int // with the hops of the last delivery
	missed    []Missed
}

// item is what happens at a host.
type item struct {
	host  int
	node  overlay.Node // of which incarnation
	event Event        // nil: wake
}

// newWorld has n hosts on a ring with chords, of degree about 5.
func newWorld(t testing.TB, seed uint64, n int, cfg Config) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), cfg: cfg, now: epoch, links: map[[2]int]time.Duration{},
		notice: 100 * time.Millisecond, side: func(int) int { return 0 }, sent: map[ID]time.Time{}, log: fnv.New64a(),
	}
	for i := range n {
		w.hosts = append(w.hosts, &host{at: i})
		w.start(i)
	}
	for i := range n {
		w.connect(i, (i+1)%n)
	}
	degree := make([]int, n)
	for range n * 3 / 2 {
		a, b := w.rng.IntN(n), w.rng.IntN(n)
		for degree[a] >= 4 || degree[b] >= 4 || !w.connect(a, b) {
			a, b = w.rng.IntN(n), w.rng.IntN(n)
		}
		degree[a]++
		degree[b]++
	}
	w.run(time.Second)
	return w
}

// start starts a new incarnation at host i, without neighbors.
func (w *world) start(i int) {
	h := w.hosts[i]
	cfg := w.cfg
	cfg.Self = overlay.Node{Name: fmt.Sprintf("n%d@h%d:1", i, i), Boot: h.node.Boot + 1}
	cfg.Rand = rand.New(rand.NewPCG(w.rng.Uint64(), 2))
	core, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	*h = host{at: i, node: cfg.Self, core: core, delivered: map[ID]int{}, began: w.now}
}

// crash ends the incarnation at host i and breaks its links. Another one
// starts there if it is told to.
func (w *world) crash(i int) {
	for _, other := range w.neighbors(i) {
		delete(w.links, link(i, other))
		w.schedule(other, w.soon(), NeighborLost{w.hosts[i].node})
	}
	w.hosts[i].core = nil
}

func link(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

func (w *world) neighbors(i int) (list []int) {
	for j := range w.hosts {
		if _, ok := w.links[link(i, j)]; ok {
			list = append(list, j)
		}
	}
	return list
}

// connect makes a link, which one side uses before the other knows of it.
func (w *world) connect(a, b int) bool {
	if _, ok := w.links[link(a, b)]; ok || a == b || w.hosts[a].core == nil || w.hosts[b].core == nil {
		return false
	}
	latency := time.Millisecond * time.Duration(5+w.rng.IntN(45))
	w.links[link(a, b)] = latency
	w.schedule(a, 0, NeighborUp{w.hosts[b].node})
	w.schedule(b, latency, NeighborUp{w.hosts[a].node})
	return true
}

func (w *world) disconnect(a, b int) {
	delete(w.links, link(a, b))
	w.schedule(a, w.soon(), NeighborDown{w.hosts[b].node})
	w.schedule(b, w.soon(), NeighborDown{w.hosts[a].node})
}

func (w *world) soon() time.Duration { return time.Duration(w.rng.Int64N(int64(w.notice))) }

func (w *world) schedule(to int, after time.Duration, ev Event) {
	w.queue.Put(w.now.Add(after), item{to, w.hosts[to].node, ev})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	until := w.now.Add(d)
	for at, it, ok := w.queue.Take(until); ok; at, it, ok = w.queue.Take(until) {
		h := w.hosts[it.host]
		w.now = at
		switch {
		case h.core == nil || h.node != it.node:
		case it.event != nil:
			if m, ok := it.event.(Received); ok && !w.reaches(m.From, h) {
				continue
			}
			w.step(h, it.event)
		case at.Equal(h.wake):
			h.wake = time.Time{}
			w.carryOut(h, h.core.Tick(w.now))
		}
	}
	w.now = until
}

// reaches says whether there is a link still.
func (w *world) reaches(from overlay.Node, to *host) bool {
	i := w.index(from)
	_, ok := w.links[link(i, to.at)]
	return ok && w.hosts[i].node == from && w.side(i) == w.side(to.at)
}

func (w *world) index(n overlay.Node) (i int) {
	for _, c := range n.Name[1:] {
		if c == '@' {
			break
		}
		i = 10*i + int(c-'0')
	}
	return i
}

func (w *world) step(h *host, ev Event) { w.carryOut(h, h.core.Step(w.now, ev)) }

func (w *world) carryOut(h *host, effects Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			i := w.index(e.To)
			latency, ok := w.links[link(h.at, i)]
			if !ok || w.hosts[i].node != e.To || w.rng.Float64() < w.loss {
				continue
			}
			latency += time.Duration(w.rng.Int64N(int64(latency / 4)))
			w.queue.Put(w.now.Add(latency), item{i, e.To, Received{h.node, e.Message}})
		case Deliver:
			if _, again := h.delivered[e.ID]; again {
				w.t.Fatalf("%v delivers %v again", h.node, e.ID)
			}
			if string(e.Payload) != e.ID.String() {
				w.t.Fatalf("%v delivers %q as %v", h.node, e.Payload, e.ID)
			}
			h.delivered[e.ID] = e.Hops
			fmt.Fprintln(w.log, w.now.UnixNano(), h.at, e.ID, e.Hops)
		case Missed:
			h.missed = append(h.missed, e)
		}
	}
	if w.check {
		if err := h.core.valid(); err != nil {
			w.t.Fatalf("%v: %v", h.node, err)
		}
	}
	if next := h.core.Deadline(); h.wake.IsZero() || next.Before(h.wake) {
		h.wake = next
		w.queue.Put(next, item{h.at, h.node, nil})
	}
}

// broadcast has host i broadcast its next message.
func (w *world) broadcast(i int) ID {
	h := w.hosts[i]
	id := ID{Origin: h.node, Seq: 1}
	if own := h.core.own; own != nil {
		id.Seq = own.seen.low + 1
	}
	w.sent[id] = w.now
	w.step(h, Broadcast{Payload: []byte(id.String())})
	return id
}

// live returns the hosts that run, in order.
func (w *world) live() (list []*host) {
	for _, h := range w.hosts {
		if h.core != nil {
			list = append(list, h)
		}
	}
	return list
}
