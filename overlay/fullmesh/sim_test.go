package fullmesh

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// world is a small network of cores, driven by one seed on one goroutine. It
// does what the driver and TCP would do: it links, delays, breaks, and lets
// both ends know sooner or later.
type world struct {
	t     *rapid.T
	rng   *rand.Rand
	now   time.Time
	queue timeline.Timeline[func()]
	sites map[string]*site // by address
	links map[[2]string]*wireLink
	cut   map[[2]string]bool            // partitioned pairs
	last  map[[2]overlay.Node]time.Time // when the last event about a node reaches another
	loss  bool                          // messages may be lost, dials fail
	log   []entry
}

// site is an address and the node that runs there, if any.
type site struct {
	addr  string
	boot  uint64
	core  *Core
	tick  time.Time
	clean bool // nothing has ever happened to it that excuses an eviction
}

// wireLink is a connection between two addresses.
type wireLink struct {
	from, to overlay.Node
	broken   bool
}

// entry is a line of the log.
type entry struct {
	at     time.Time
	node   overlay.Node
	effect overlay.Effect
}

func (w *world) after(d time.Duration, do func()) {
	w.queue.Put(w.now.Add(d), do)
}

// delay is how long something takes on the network.
func (w *world) delay() time.Duration { return time.Duration(1+w.rng.IntN(50)) * time.Millisecond }

// notify lets to know something about a node a little later, after everything
// it was told of that node before.
func (w *world) notify(to, about overlay.Node, do func()) {
	at := w.now.Add(w.delay())
	if last := w.last[[2]overlay.Node{to, about}]; at.Before(last) {
		at = last
	}
	w.last[[2]overlay.Node{to, about}] = at
	w.after(at.Sub(w.now), do)
}

func key(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

func (w *world) boot(addr string, seeds ...string) {
	s := w.sites[addr]
	if s == nil {
		s = &site{addr: addr, clean: true}
		w.sites[addr] = s
	}
	s.boot++
	core, err := New(Config{Self: overlay.Node{Name: addr + "@" + addr, Boot: s.boot}, Seeds: seeds, Rand: rand.New(rand.NewPCG(w.rng.Uint64(), 1))})
	if err != nil {
		w.t.Fatal(err)
	}
	s.core = core
	w.carryOut(s, core.Tick(w.now))
}

func (w *world) self(s *site) overlay.Node {
	return overlay.Node{Name: s.addr + "@" + s.addr, Boot: s.boot}
}

// live reports whether node is running.
func (w *world) live(n overlay.Node) bool {
	s := w.sites[n.Addr()]
	return s != nil && s.core != nil && s.boot == n.Boot
}

// tell gives an event to a node, if it is still the same one.
func (w *world) tell(to overlay.Node, ev overlay.Event) {
	if w.live(to) {
		s := w.sites[to.Addr()]
		w.carryOut(s, s.core.Step(w.now, ev))
	}
}

func (w *world) carryOut(s *site, effects overlay.Effects) {
	self, core := w.self(s), s.core
	for _, e := range effects {
		w.log = append(w.log, entry{w.now, self, e})
		switch e := e.(type) {
		case overlay.Probe:
			w.after(w.delay(), func() { w.probe(self, e.Addr) })
		case overlay.Dial:
			w.after(w.delay(), func() { w.dial(self, e.Node) })
		case overlay.Send:
			w.send(self, e)
		case overlay.Disconnect:
			w.after(w.delay(), func() { w.unlink(self.Addr(), e.Node.Addr(), "disconnect") })
		case overlay.Down:
			w.unlink(self.Addr(), e.Node.Addr(), "down")
			if e.Member && w.live(e.Node) && s.clean && w.sites[e.Node.Addr()].clean && e.Reason != overlay.ErrForgotten {
				w.t.Fatalf("%s evicted %s, to which nothing had happened: %v\n%s", name(self), name(e.Node), e.Reason, w.tail())
			}
		}
	}
	if s.core != core {
		return
	}
	if next := core.Deadline(); !next.IsZero() && !next.Equal(s.tick) {
		s.tick = next
		w.after(max(0, next.Sub(w.now)), func() {
			if s.core == core && s.tick.Equal(next) {
				s.tick = time.Time{}
				w.carryOut(s, core.Tick(w.now))
			}
		})
	}
}

func (w *world) tail() string {
	out := ""
	for _, e := range w.log[max(0, len(w.log)-60):] {
		out += fmt.Sprintf("%v %s: %s\n", e.at.Sub(epoch), name(e.node), describe(e.effect))
	}
	return out
}

func (w *world) probe(from overlay.Node, addr string) {
	s := w.sites[addr]
	switch {
	case !w.live(from):
	case w.cut[key(from.Addr(), addr)]:
		w.after(3*time.Second, func() { w.tell(from, overlay.ProbeFailed{Addr: addr}) })
	case s == nil || s.core == nil:
		w.tell(from, overlay.ProbeFailed{Addr: addr})
	default:
		w.tell(from, overlay.Found{Addr: addr, Node: w.self(s)})
	}
}

func (w *world) dial(from, to overlay.Node) {
	s, pair := w.sites[to.Addr()], key(from.Addr(), to.Addr())
	switch {
	case !w.live(from):
	case w.cut[pair]:
		w.after(3*time.Second, func() { w.tell(from, overlay.DialFailed{Node: to}) })
	case s == nil || s.core == nil:
		w.tell(from, overlay.DialFailed{Node: to, Refused: true})
	case s.boot != to.Boot:
		w.tell(from, overlay.DialFailed{Node: to, Refused: true})
		w.tell(from, overlay.Met{Node: w.self(s)})
	case s.core.Outdated(from) != nil:
		w.tell(from, overlay.DialFailed{Node: to})
	case w.links[pair] != nil && w.links[pair].from == to && w.rng.IntN(2) == 0:
		// The other way round already, and the dialler does not know yet.
		w.tell(from, overlay.DialFailed{Node: to, Alive: true})
	case w.loss && w.rng.IntN(4) == 0:
		w.tell(from, overlay.DialFailed{Node: to})
	default:
		w.link(from, to)
	}
}

// link connects two nodes. Each learns of it a little later.
func (w *world) link(from, to overlay.Node) {
	pair := key(from.Addr(), to.Addr())
	if old := w.links[pair]; old != nil {
		old.broken = true
	}
	l := &wireLink{from: from, to: to}
	w.links[pair] = l
	for _, side := range [][2]overlay.Node{{from, to}, {to, from}} {
		w.notify(side[0], side[1], func() { w.tell(side[0], overlay.LinkUp{Node: side[1], Accepted: side[0] == to}) })
	}
}

// unlink breaks the connection between two addresses. Each end learns of it a
// little later, unless they are partitioned.
func (w *world) unlink(a, b, why string) {
	pair := key(a, b)
	l := w.links[pair]
	if l == nil {
		return
	}
	delete(w.links, pair)
	l.broken = true
	for _, side := range [][2]overlay.Node{{l.from, l.to}, {l.to, l.from}} {
		if w.cut[pair] && side[0].Addr() != a {
			continue // it finds out by itself
		}
		w.notify(side[0], side[1], func() {
			if w.links[pair] != nil {
				return // replaced
			}
			if why == "down" && side[0].Addr() != a {
				// The driver finds out when the two link again that one side
				// had given up the other.
				w.tell(side[0], overlay.Lost{Node: side[1], Err: overlay.ErrForgotten})
				return
			}
			w.tell(side[0], overlay.LinkDown{Node: side[1]})
		})
	}
}

func (w *world) send(from overlay.Node, e overlay.Send) {
	pair := key(from.Addr(), e.To.Addr())
	l := w.links[pair]
	if l == nil || w.loss && w.rng.IntN(10) == 0 {
		return
	}
	w.notify(e.To, from, func() {
		if !l.broken && !w.cut[pair] {
			w.tell(e.To, overlay.Received{From: from, Message: e.Message})
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

// views returns what every live node sees, and what each should see.
func (w *world) views() (views map[string]string, want string) {
	views = make(map[string]string)
	var all []string
	for addr, s := range w.sites {
		if s.core == nil {
			continue
		}
		seen := []string{name(w.self(s))}
		for _, m := range s.core.Members() {
			seen = append(seen, name(m.Node))
		}
		slices.Sort(seen)
		views[addr] = fmt.Sprint(seen)
		all = append(all, name(w.self(s)))
	}
	slices.Sort(all)
	return views, fmt.Sprint(all)
}

// agree checks that all live nodes see all live nodes.
func (w *world) agree(when string) {
	views, want := w.views()
	for addr, got := range views {
		if got != want {
			w.t.Fatalf("%s: %s sees %s, want %s\n%s", when, addr, got, want, w.tail())
		}
	}
}

func newWorld(t *rapid.T, nodes int) *world {
	seed := rapid.Uint64().Draw(t, "seed")
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), now: epoch,
		sites: make(map[string]*site), links: make(map[[2]string]*wireLink), cut: make(map[[2]string]bool),
		last: make(map[[2]overlay.Node]time.Time),
	}
	for i := range nodes {
		addr := string(rune('a' + i))
		// Each knows one that was there before it.
		seeds := []string{string(rune('a' + w.rng.IntN(max(i, 1))))}
		w.boot(addr, seeds...)
		w.run(time.Duration(w.rng.IntN(100)) * time.Millisecond)
	}
	return w
}

func TestNodesThatNothingHappensToMeetAndStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.IntRange(1, 8).Draw(t, "nodes"))
		w.run(15 * time.Second)
		w.agree("after joining")
		w.run(time.Minute)
		w.agree("after a minute")
	})
}

func TestLiveNodesAgreeAfterFaultsHaveEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 7).Draw(t, "nodes")
		w := newWorld(t, n)
		addr := func(t *rapid.T, label string) string {
			return string(rune('a' + rapid.IntRange(0, n-1).Draw(t, label)))
		}
		hurt := func(addrs ...string) {
			for _, a := range addrs {
				w.sites[a].clean = false
			}
		}
		w.loss = rapid.Bool().Draw(t, "loss")
		if w.loss {
			for a := range w.sites {
				hurt(a)
			}
		}
		for range rapid.IntRange(0, 25).Draw(t, "faults") {
			a, b := addr(t, "a"), addr(t, "b")
			switch rapid.SampledFrom([]string{"crash", "restart", "cut", "heal", "break", "leave"}).Draw(t, "fault") {
			case "crash":
				w.crash(a)
			case "restart":
				w.crash(a)
				w.boot(a, b)
			case "cut":
				if a != b {
					hurt(a, b)
					w.cut[key(a, b)] = true
				}
			case "heal":
				delete(w.cut, key(a, b))
			case "break":
				hurt(a, b)
				w.unlink(a, b, "break")
			case "leave":
				if s := w.sites[a]; s.core != nil {
					hurt(a)
					w.carryOut(s, s.core.Step(w.now, overlay.LeaveRequested{}))
					w.run(time.Duration(w.rng.IntN(200)) * time.Millisecond)
					w.crash(a)
				}
			}
			w.run(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
		}
		// The faults end. Every live node still knows the way to one that all
		// know the way to: the first.
		clear(w.cut)
		w.loss = false
		w.crash("a")
		w.boot("a")
		for _, at := range slices.Sorted(maps.Keys(w.sites)) {
			if s := w.sites[at]; s.core != nil {
				w.carryOut(s, s.core.Step(w.now, overlay.Join{Addrs: []string{"a"}}))
			}
		}
		w.run(40 * time.Second)
		w.agree("after the faults")
		for _, s := range w.sites {
			s.clean = s.core != nil
		}
		w.run(time.Minute)
		w.agree("a minute later")
	})
}

// crash ends a node without a word. Its connections end too.
func (w *world) crash(addr string) {
	s := w.sites[addr]
	s.clean = false
	s.core = nil
	for _, other := range slices.Sorted(maps.Keys(w.sites)) {
		w.unlink(addr, other, "crash")
	}
}
