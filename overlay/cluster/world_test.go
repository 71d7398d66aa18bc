package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/overlay/gossip"
	"github.com/topos-go/topos/overlay/hyparview"
)

var epoch = time.Unix(1000, 0)

// world is a small network of cores, driven by one seed on one goroutine: links
// with a delay, that break when a node ends, and connections for single messages.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	now    time.Time
	queue  timeline.Timeline[func()]
	places []*place
	links  map[[2]int]bool
	dials  int // links made
	side   func(i int) int
	silent bool // machines without a node do not answer
	delay  func(i, j int) time.Duration
	told   func(i int, e overlay.Deliver) // of what is delivered; nil is nobody
	loses  func(m overlay.Message) bool   // what is lost on its way; nil is nothing
	values []any
}

// place is an address and the node that runs there, if any.
type place struct {
	node      overlay.Node
	core      *Core
	wake      time.Time
	up        map[overlay.Node]time.Time
	down      map[overlay.Node]time.Time
	reasons   map[overlay.Node]error
	delivered map[string]int
	reports   []any
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: epoch,
		links: make(map[[2]int]bool), side: func(int) int { return 0 },
		delay: func(int, int) time.Duration { return delay },
	}
}

func addr(i int) string { return "n" + strconv.Itoa(i) }

// boot starts the next incarnation at place i, with place 0 for a seed.
func (w *world) boot(i int) {
	p := w.places[i]
	self := overlay.Node{Name: addr(i) + "@" + addr(i), Boot: p.node.Boot + 1}
	fork := func() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), 2)) }
	wire := func(name string) (Topology, error) { return wire(name, self, fork()) }
	top, err := wire("hyparview")
	if err != nil {
		w.t.Fatal(err)
	}
	core, err := New(Config{
		Self: self, Topology: top, Wiring: "hyparview", Wire: wire, Rand: fork(), Encode: w.encode, Decode: w.decode,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	*p = place{
		node: self, core: core, up: make(map[overlay.Node]time.Time), down: make(map[overlay.Node]time.Time),
		reasons: make(map[overlay.Node]error), delivered: make(map[string]int),
	}
	w.carryOut(i, core.Tick(w.now))
}

// wire makes any topology for self, with places 0 and 1 for seeds.
func wire(name string, self overlay.Node, rng *rand.Rand) (Topology, error) {
	seeds := []string{addr(0), addr(1)}
	switch name {
	case "hyparview":
		return hyparview.New(hyparview.Config{Self: self, Seeds: seeds, Rand: rng})
	case "fullmesh":
		return fullmesh.New(fullmesh.Config{Self: self, Seeds: seeds, Rand: rng, Directed: true})
	case "clientserver":
		return clientserver.New(clientserver.Config{Self: self, Seeds: seeds, Rand: rng})
	case "gossip":
		return gossip.New(gossip.Config{Self: self, Seeds: seeds, Rand: rng})
	}
	return nil, fmt.Errorf("no topology %q", name)
}

// encode puts v on a list: nobody here looks at bytes.
func (w *world) encode(v any) ([]byte, error) {
	w.values = append(w.values, v)
	return binary.BigEndian.AppendUint64(nil, uint64(len(w.values)-1)), nil
}

func (w *world) decode(b []byte) (any, error) {
	if len(b) != 8 || binary.BigEndian.Uint64(b) >= uint64(len(w.values)) {
		return nil, errors.New("no value")
	}
	return w.values[binary.BigEndian.Uint64(b)], nil
}

// end ends the node at place i without a word. Its links break.
func (w *world) end(i int) {
	w.places[i].core = nil
	for _, pair := range w.pairs() {
		if (pair[0] == i || pair[1] == i) && !w.silent {
			w.sever(pair[0], pair[1])
		}
	}
}

// split parts the places: links across break for both ends, after a while.
func (w *world) split(side func(i int) int) {
	w.side = side
	for _, pair := range w.pairs() {
		if side(pair[0]) != side(pair[1]) {
			w.sever(pair[0], pair[1])
		}
	}
}

// pairs returns the links there are, in order.
func (w *world) pairs() [][2]int {
	return slices.SortedFunc(maps.Keys(w.links), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
}

func key(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// sever ends a link, which both ends learn.
func (w *world) sever(a, b int) {
	if _, ok := w.links[key(a, b)]; !ok {
		return
	}
	delete(w.links, key(a, b))
	x, y := w.places[a].node, w.places[b].node
	w.after(30*time.Millisecond, func() {
		w.tell(a, x, overlay.LinkDown{Node: y})
		w.tell(b, y, overlay.LinkDown{Node: x})
	})
}

func (w *world) after(d time.Duration, do func()) {
	w.queue.Put(w.now.Add(d), do)
}

// place returns the index of an address.
func (w *world) place(a string) int {
	i, err := strconv.Atoi(strings.TrimPrefix(a, "n"))
	if err != nil || i >= len(w.places) {
		w.t.Fatalf("address %q", a)
	}
	return i
}

func (w *world) tell(i int, node overlay.Node, ev overlay.Event) {
	if p := w.places[i]; p.core != nil && p.node == node {
		w.carryOut(i, p.core.Step(w.now, ev))
	}
}

// reach returns what comes of trying to reach node from place i: whether it
// answers, and whether its machine refuses.
func (w *world) reach(i int, node overlay.Node) (j int, ok, refused bool) {
	j = w.place(node.Addr())
	p := w.places[j]
	reachable := w.side(i) == w.side(j)
	return j, reachable && p.core != nil && p.node == node, reachable && !w.silent
}

const delay = 20 * time.Millisecond

func (w *world) carryOut(i int, effects overlay.Effects) {
	p := w.places[i]
	core, self := p.core, p.node
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Up:
			if _, up := p.up[e.Node]; up {
				w.t.Errorf("%v: %v is up twice", self, e.Node)
			}
			p.up[e.Node] = w.now
		case overlay.Down:
			if !e.Member {
				break
			}
			if _, up := p.up[e.Node]; !up {
				w.t.Errorf("%v: %v is down, but was not up", self, e.Node)
			}
			delete(p.up, e.Node)
			p.down[e.Node], p.reasons[e.Node] = w.now, e.Reason
		case overlay.Deliver:
			p.delivered[string(e.Payload)]++
			if w.told != nil {
				w.told(i, e)
			}
		case overlay.Report:
			p.reports = append(p.reports, e.Value)
		default:
			w.connect(i, self, e)
		}
	}
	w.checkDues(core)
	if next := core.Deadline(); !next.IsZero() && (p.wake.IsZero() || next.Before(p.wake)) {
		p.wake = next
		w.after(max(0, next.Sub(w.now)), func() {
			if p.core == core && p.wake.Equal(next) {
				p.wake = time.Time{}
				w.carryOut(i, core.Tick(w.now))
			}
		})
	}
}

// checkDues reports parts that have something to do at another time than the core believes.
func (w *world) checkDues(c *Core) {
	w.t.Helper()
	next := c.Deadline()
	for p := range parts {
		if got, want := c.dues.at[p], c.due(p); !c.left && !got.Equal(want) {
			w.t.Errorf("%v: part %d is due at %v, not %v", c.cfg.Self, p, want, got)
		}
	}
	if c.former == nil || c.left {
		return
	}
	if due := c.former.topology.Deadline(); !due.IsZero() && next.After(due) {
		w.t.Errorf("%v: its earlier topology is due at %v, it at %v", c.cfg.Self, due, next)
	}
}

// connect does what has to do with the network.
func (w *world) connect(i int, self overlay.Node, e overlay.Effect) {
	switch e := e.(type) {
	case overlay.Probe:
		w.after(2*delay, func() {
			if p := w.places[w.place(e.Addr)]; p.core != nil && w.side(i) == w.side(w.place(e.Addr)) {
				w.tell(i, self, overlay.Found{Addr: e.Addr, Node: p.node})
			} else {
				w.tell(i, self, overlay.ProbeFailed{Addr: e.Addr})
			}
		})
	case overlay.Dial:
		w.after(2*delay, func() { w.dial(i, self, e.Node) })
	case overlay.Send:
		if _, linked := w.links[key(i, w.place(e.To.Addr()))]; linked {
			w.message(i, self, e.To, e.Message)
		}
	case overlay.Post:
		w.message(i, self, e.To, e.Message)
	case overlay.Disconnect:
		w.after(delay, func() { w.sever(i, w.place(e.Node.Addr())) }) // after what was sent
	}
}

func (w *world) dial(i int, self, node overlay.Node) {
	j, ok, refused := w.reach(i, node)
	if !ok {
		w.tell(i, self, overlay.DialFailed{Node: node, Refused: refused})
		return
	}
	if w.places[i].core == nil || w.places[i].node != self {
		return
	}
	w.links[key(i, j)] = true
	w.dials++
	w.tell(i, self, overlay.LinkUp{Node: node})
	w.tell(j, node, overlay.LinkUp{Node: self, Accepted: true})
}

func (w *world) message(i int, self, to overlay.Node, m overlay.Message) {
	if w.loses != nil && w.loses(m) {
		return
	}
	w.after(w.delay(i, w.place(to.Addr())), func() {
		j, ok, refused := w.reach(i, to)
		switch {
		case ok:
			w.tell(j, to, overlay.Received{From: self, Message: m})
		case refused:
			w.tell(i, self, overlay.DialFailed{Node: to, Refused: true})
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

// grow starts n nodes.
func (w *world) grow(n int) {
	for range n {
		w.places = append(w.places, new(place))
	}
	for i := range n {
		w.boot(i)
		w.run(100 * time.Millisecond)
	}
	w.run(time.Minute)
}

// agree checks that all nodes for which live says so know the same members.
func (w *world) agree(live func(i int) bool) {
	w.t.Helper()
	var want []overlay.Node
	for i, p := range w.places {
		if live(i) {
			want = append(want, p.node)
		}
	}
	slices.SortFunc(want, overlay.Node.Compare)
	for i, p := range w.places {
		if !live(i) {
			continue
		}
		if got := p.core.Members(); !slices.Equal(got, want) {
			w.t.Errorf("%v knows %d members, not %d: %.300s", p.node, len(got), len(want), fmt.Sprint(got))
		}
		if len(p.up) != len(want)-1 {
			w.t.Errorf("%v: %d are up", p.node, len(p.up))
		}
		if watched := p.core.detector.Stats().Members; watched != len(want)-1 {
			w.t.Errorf("%v: %d are watched", p.node, watched)
		}
	}
}
