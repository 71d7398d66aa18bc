package pcbroadcast

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// start is when virtual time begins.
var start = time.Unix(1_000_000_000, 0)

// world is some nodes with links that are FIFO, slow and break, driven by one
// seed on one goroutine.
type world struct {
	rng    *rand.Rand
	now    time.Time
	queue  timeline.Timeline[func()]
	cfg    Config
	sites  []*site
	wires  map[[2]int]*wire
	oracle *oracle
	slow   time.Duration // the slowest link
	stale  bool          // what a broken link carried may arrive late
	quiet  bool          // only the first three broadcast
	tamper func(w *world, from *site, effects Effects) Effects
	err    error // the first thing that went wrong
	log    *strings.Builder
	counts struct{ gaps, restarts, forced, adopted, events, sends int }
}

// site is a place and the node that runs there, if any.
type site struct {
	index int
	boot  uint64
	node  overlay.Node
	core  *Core[int] // nil if crashed
	tick  time.Time
}

// wire is one link: two directions, each with its delay.
type wire struct {
	ends   [2]*site
	nodes  [2]overlay.Node
	broken bool
	delay  [2]time.Duration // to ends[i]
	last   [2]time.Time     // the last arrival there
	up     [2]bool          // ends[i] has been told
	over   [2]bool          // ends[i] has been told that it is broken, or of the next
}

func newWorld(seed uint64, nodes int) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 7)), now: start, wires: make(map[[2]int]*wire),
		oracle: newOracle(), slow: 200 * time.Millisecond,
	}
	w.cfg.Direct = int(seed%3) * 6 // never, until some have broadcast, and almost always
	for i := range nodes {
		w.sites = append(w.sites, &site{index: i})
	}
	return w
}

func (w *world) at(t time.Time, do func()) { w.queue.Put(t, do) }

func (w *world) pause(most time.Duration) time.Duration {
	return time.Duration(w.rng.Int64N(int64(most)))
}

// boot starts a node at i, the next incarnation of its name.
func (w *world) boot(i int) *site {
	s := w.sites[i]
	s.boot++
	s.node = overlay.Node{Name: fmt.Sprintf("n%d@n%d", i, i), Boot: s.boot}
	cfg := w.cfg
	cfg.Self = s.node
	core, err := New[int](cfg)
	if err != nil {
		panic(err)
	}
	s.core, s.tick = core, time.Time{}
	return s
}

// step tells a node something, if it still runs.
func (w *world) step(node overlay.Node, s *site, ev Event) {
	if s.core == nil || s.node != node {
		return
	}
	w.counts.events++
	w.carryOut(s, s.core.Step(w.now, ev))
}

func (w *world) fail(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("at %v: %w", w.now.Sub(start), err)
	}
}

func (w *world) carryOut(s *site, effects Effects) {
	if w.tamper != nil {
		effects = w.tamper(w, s, effects)
	}
	for _, e := range effects {
		if w.log != nil {
			fmt.Fprintf(w.log, "%v %s %T%+v\n", w.now.Sub(start), s.node, e, e)
		}
		switch e := e.(type) {
		case Send:
			w.send(s, e)
		case Deliver[int]:
			w.fail(w.oracle.deliver(s.node.String(), e.Payload, e.Origin.String()))
		case Gap:
			w.counts.gaps++
		case Safe:
			if e.Forced {
				w.counts.forced++
			}
		case Adopted:
			w.counts.adopted++
		case Unsafe:
			w.counts.restarts++
		}
	}
	core := s.core
	if due := core.Deadline(); !due.IsZero() && (s.tick.IsZero() || due.Before(s.tick)) {
		s.tick = due
		w.at(due, func() {
			if s.core == core && s.tick.Equal(due) {
				s.tick = time.Time{}
				w.carryOut(s, core.Tick(w.now))
			}
		})
	}
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// send puts a message on the wire that its sender knows of.
func (w *world) send(s *site, e Send) {
	w.counts.sends++
	for _, l := range []*wire{w.wires[pair(s.index, w.index(e.To))]} {
		if l == nil {
			return
		}
		to := 1
		if l.ends[1] == s {
			to = 0
		}
		if l.nodes[to] != e.To || l.nodes[1-to] != s.node || !l.up[1-to] {
			return
		}
		at := w.now.Add(l.delay[to]/2 + w.pause(l.delay[to]))
		if at.Before(l.last[to]) {
			at = l.last[to]
		}
		l.last[to] = at
		from := s.node
		w.at(at, func() {
			// What was on its way on a broken link is lost. When its end
			// knows that it is broken, some of it may arrive after all.
			if !l.broken || w.stale && l.over[to] && w.rng.IntN(2) == 0 {
				w.step(e.To, l.ends[to], Received{from, e.Message})
			}
		})
	}
}

func (w *world) index(node overlay.Node) int {
	var i int
	if _, err := fmt.Sscanf(node.Name, "n%d@", &i); err != nil {
		panic(err)
	}
	return i
}

// link connects two nodes. Each is told a little later, before anything comes.
func (w *world) link(a, b int) {
	sa, sb := w.sites[a], w.sites[b]
	if a == b || sa.core == nil || sb.core == nil {
		return
	}
	before := w.wires[pair(a, b)]
	w.unlink(a, b)
	l := &wire{ends: [2]*site{sa, sb}, nodes: [2]overlay.Node{sa.node, sb.node}}
	w.wires[pair(a, b)] = l
	for i := range 2 {
		l.delay[i] = 1 + w.pause(w.slow)
		at := w.now.Add(w.pause(20 * time.Millisecond))
		l.last[i] = at
		w.at(at, func() {
			if !l.broken {
				l.up[i] = true
				if before != nil {
					before.over[slices.Index(before.ends[:], l.ends[i])] = true
				}
				w.step(l.nodes[i], l.ends[i], LinkUp{l.nodes[1-i]})
			}
		})
	}
}

// unlink breaks the link between two nodes. Each is told a little later, unless
// they have a new one.
func (w *world) unlink(a, b int) {
	l := w.wires[pair(a, b)]
	if l == nil {
		return
	}
	delete(w.wires, pair(a, b))
	l.broken = true
	for i := range 2 {
		w.at(w.now.Add(w.pause(50*time.Millisecond)), func() {
			l.over[i] = true
			if next := w.wires[pair(a, b)]; l.up[i] && (next == nil || !next.up[slices.Index(next.ends[:], l.ends[i])]) {
				w.step(l.nodes[i], l.ends[i], LinkDown{l.nodes[1-i]})
			}
		})
	}
}

// crash ends a node without a word.
func (w *world) crash(i int) {
	for _, other := range w.sites {
		w.unlink(i, other.index)
	}
	w.sites[i].core = nil
}

// broadcast has a node broadcast, and returns the number of the message.
func (w *world) broadcast(i int) int {
	s := w.sites[i]
	if s.core == nil {
		return -1
	}
	m := w.oracle.broadcast(s.node.String())
	w.step(s.node, s, Broadcast[int]{m})
	return m
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	until := w.now.Add(d)
	for w.err == nil {
		at, do, ok := w.queue.Take(until)
		if !ok {
			break
		}
		w.now = at
		do()
	}
	w.now = until
}

// valid checks the invariants of all nodes.
func (w *world) valid() {
	for _, s := range w.sites {
		if s.core != nil {
			w.fail(s.core.valid())
		}
	}
}

// bound reports whether links that are safe both ways connect all who run,
// without the one between a and b.
func (w *world) bound(a, b int) bool {
	seen := make([]bool, len(w.sites))
	var visit func(s *site)
	visit = func(s *site) {
		seen[s.index] = true
		for _, t := range w.sites {
			l := w.wires[pair(s.index, t.index)]
			if t.core == nil || seen[t.index] || l == nil || pair(s.index, t.index) == pair(a, b) {
				continue
			}
			// Before they are told, they may think of the link before.
			// What is safe at one end may not have begun at the other.
			if l.up[0] && l.up[1] && s.core.Safe(t.node) && t.core.Safe(s.node) && s.core.link(t.node).open && t.core.link(s.node).open {
				visit(t)
			}
		}
	}
	for _, s := range w.sites {
		if s.core != nil {
			visit(s)
			break
		}
	}
	return !slices.ContainsFunc(w.sites, func(s *site) bool { return s.core != nil && !seen[s.index] })
}

// all checks that everybody who runs has delivered the messages.
func (w *world) all(messages ...int) {
	for _, s := range w.sites {
		for _, m := range messages {
			if s.core != nil && m >= 0 && !of(w.oracle.delivered, s.node.String()).has(m) {
				w.fail(fmt.Errorf("%s lacks %d of %s", s.node, m, w.oracle.origin[m]))
			}
		}
	}
}

// grow has all nodes join, each by a link to one that is there.
func (w *world) grow() {
	for i := range w.sites {
		w.boot(i)
		if i > 0 {
			w.link(i, w.rng.IntN(i))
		}
		w.run(w.pause(2 * time.Second))
	}
	w.run(5 * time.Second)
}
