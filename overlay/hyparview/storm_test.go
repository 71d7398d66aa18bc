package hyparview

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/overlay"
)

// stormNode draws a node: few names, so that they meet, in two incarnations, and
// some that are none.
func stormNode(t *rapid.T) overlay.Node {
	if rapid.IntRange(0, 29).Draw(t, "odd") == 0 {
		return rapid.SampledFrom([]overlay.Node{{}, {Name: "@"}, {Name: "x"}, {Name: "s@s", Boot: 9}}).Draw(t, "node")
	}
	n := nodes("n", 12)[rapid.IntRange(0, 11).Draw(t, "name")]
	n.Boot = rapid.Uint64Range(1, 2).Draw(t, "boot")
	return n
}

func stormMessage(t *rapid.T) overlay.Message {
	small := func(label string) uint32 { return rapid.Uint32Range(0, 12).Draw(t, label) }
	yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
	list := func() []overlay.Node {
		var list []overlay.Node
		for range rapid.IntRange(0, 12).Draw(t, "length") {
			list = append(list, stormNode(t))
		}
		return list
	}
	ttl := rapid.SampledFrom([]int{-1 << 62, -1, 0, 1, 2, 3, 4, 6, 7, 1 << 62})
	switch rapid.IntRange(0, 15).Draw(t, "message") {
	case 0:
		return Join{small("#")}
	case 1:
		return ForwardJoin{stormNode(t), ttl.Draw(t, "ttl")}
	case 2:
		return Neighbor{small("#"), yes("high")}
	case 3:
		return NeighborReply{small("of"), small("#"), yes("accepted")}
	case 4:
		return Disconnect{small("of"), small("#"), yes("wait")}
	case 5:
		return Alive{small("of"), small("#")}
	case 6:
		return Leave{}
	case 7:
		return Shuffle{stormNode(t), small("#"), ttl.Draw(t, "ttl"), list()}
	case 8:
		return ShuffleReply{small("#"), list()}
	case 9:
		return Optimization{small("#"), stormNode(t)}
	case 10:
		return OptimizationReply{small("of"), small("#"), yes("accepted"), yes("replaced")}
	case 11:
		return Replace{small("of"), small("x"), stormNode(t), stormNode(t)}
	case 12:
		return ReplaceReply{small("of"), small("x"), yes("accepted")}
	case 13:
		return Switch{small("#"), stormNode(t)}
	case 14:
		return SwitchReply{small("of"), small("#"), yes("accepted")}
	}
	return overlay.Ping{}
}

func stormEvent(t *rapid.T) overlay.Event {
	addr := func() string { return stormNode(t).Addr() }
	switch rapid.IntRange(0, 14).Draw(t, "event") {
	case 0, 1:
		return overlay.LinkUp{Node: stormNode(t), Accepted: rapid.Bool().Draw(t, "accepted")}
	case 2:
		return overlay.LinkDown{Node: stormNode(t)}
	case 3:
		return overlay.DialFailed{Node: stormNode(t), Alive: rapid.Bool().Draw(t, "alive")}
	case 4:
		return overlay.Found{Addr: addr(), Node: stormNode(t)}
	case 5:
		return overlay.ProbeFailed{Addr: addr()}
	case 6:
		return overlay.RTT{Node: stormNode(t), RTT: time.Duration(rapid.IntRange(-1, 100).Draw(t, "rtt")) * time.Millisecond}
	case 7:
		return overlay.Met{Node: stormNode(t)}
	case 8:
		return overlay.Lost{Node: stormNode(t)}
	case 9:
		return overlay.Join{Addrs: []string{addr(), addr()}}
	}
	return overlay.Received{From: stormNode(t), Message: stormMessage(t)}
}

// driver holds effects against what a driver may be asked for.
type driver struct {
	t      *rapid.T
	linked map[overlay.Node]bool
	up     map[overlay.Node]bool
}

func (d *driver) before(ev overlay.Event) {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		d.linked[ev.Node] = true
	case overlay.LinkDown:
		delete(d.linked, ev.Node)
	}
}

func (d *driver) carryOut(c *Core, effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Dial:
			if d.linked[e.Node] || e.Node.Name == c.cfg.Self.Name || e.Node.Valid() != nil {
				d.t.Fatalf("dials %v", e.Node)
			}
		case overlay.Send:
			if !d.linked[e.To] {
				d.t.Fatalf("sends to %v, to which there is no link", e.To)
			}
			if m, ok := e.Message.(Shuffle); ok && (len(m.Nodes) > c.maxShuffled() || m.TTL > c.cfg.ARWL) {
				d.t.Fatalf("hands on %v", m)
			}
			if m, ok := e.Message.(ForwardJoin); ok && (m.TTL > c.cfg.ARWL || m.TTL < 0) {
				d.t.Fatalf("hands on %v", m)
			}
		case overlay.Disconnect:
			delete(d.linked, e.Node)
			if d.up[e.Node] && c.peer(e.Node) != nil {
				d.t.Fatalf("closes the link to its neighbor %v", e.Node)
			}
		case overlay.NeighborUp:
			if d.up[e.Node] || !d.linked[e.Node] {
				d.t.Fatalf("%v is up twice, or without a link", e.Node)
			}
			d.up[e.Node] = true
		case overlay.NeighborDown:
			if !d.up[e.Node] {
				d.t.Fatalf("%v is down, but was not up", e.Node)
			}
			delete(d.up, e.Node)
		case overlay.Up, overlay.Down:
			d.t.Fatalf("%T is not for it to say", e)
		}
	}
}

func TestAnySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := quiet("s1")
		cfg.Self = overlay.Node{Name: "s@s", Boot: 1}
		cfg.Rand = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		cfg.ActiveSize, cfg.PassiveSize = rapid.IntRange(1, 4).Draw(t, "active"), rapid.IntRange(1, 6).Draw(t, "passive")
		cfg.MaxLinks, cfg.MaxGone, cfg.MaxSeeds = 3, 3, 3
		cfg.ShuffleInterval, cfg.Refresh, cfg.Checks = 10*time.Second, time.Minute, 0
		if rapid.Bool().Draw(t, "xbot") {
			cfg.XBot = &XBot{Unbiased: -1, Interval: 3 * time.Second}
		}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		d := &driver{t: t, linked: make(map[overlay.Node]bool), up: make(map[overlay.Node]bool)}
		now := epoch
		d.carryOut(c, c.Tick(now))
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "tick") == 0 {
				next := c.Deadline()
				if next.Before(now) {
					t.Fatalf("the deadline %v has passed at %v", next, now)
				}
				now = next
				d.carryOut(c, c.Tick(now))
				if !c.Deadline().After(now) {
					t.Fatalf("after the tick at %v the deadline is %v", now, c.Deadline())
				}
			} else {
				ev := stormEvent(t)
				d.before(ev)
				d.carryOut(c, c.Step(now, ev))
			}
			if err := c.valid(); err != nil {
				t.Fatal(err)
			}
			if len(c.Active()) != len(d.up) {
				t.Fatalf("active %v, announced %v", c.Active(), d.up)
			}
			for _, n := range c.Active() {
				if !d.up[n] || !d.linked[n] {
					t.Fatalf("%v is active, up %v, linked %v", n, d.up[n], d.linked[n])
				}
			}
		}
		d.carryOut(c, c.Step(now, overlay.LeaveRequested{}))
		if len(d.up) > 0 || !c.Deadline().IsZero() || len(c.Step(now, overlay.Met{Node: stormNode(t)})) > 0 {
			t.Fatalf("it has left, and goes on: %v", d.up)
		}
	})
}

func TestSmallWorldsAreSoundAfterAnyFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "nodes")
		cfg := Config{ActiveSize: rapid.IntRange(3, 5).Draw(t, "active")}
		if rapid.Bool().Draw(t, "xbot") {
			cfg.XBot = &XBot{Interval: time.Second}
		}
		w := newWorld(fatal{t: t}, rapid.Uint64().Draw(t, "seed"), cfg)
		w.checked = true
		w.grow(n, 50*time.Millisecond)
		w.loss = rapid.SampledFrom([]int{0, 100, 500}).Draw(t, "loss")
		for range rapid.IntRange(0, 20).Draw(t, "faults") {
			i, j := rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "j")
			switch rapid.SampledFrom([]string{"crash", "restart", "sever", "leave", "partition", "heal"}).Draw(t, "fault") {
			case "crash":
				w.crash(i)
			case "restart":
				w.crash(i)
				w.boot(i, j)
			case "sever":
				if i != j {
					w.sever(i, j)
				}
			case "leave":
				if p := w.places[i]; p.core != nil {
					w.tell(i, p.node, overlay.LeaveRequested{})
					w.run(200 * time.Millisecond)
					w.crash(i)
				}
			case "partition":
				w.partition(func(a, b int) bool { return (a <= i) != (b <= i) })
			case "heal":
				w.cut = func(a, b int) bool { return false }
			}
			w.run(time.Duration(rapid.IntRange(0, 8000).Draw(t, "ms")) * time.Millisecond)
		}
		// The faults end. Every live node is told of the first, which all know.
		w.cut, w.loss = func(a, b int) bool { return false }, 0
		w.crash(0)
		w.boot(0)
		for _, p := range w.alive() {
			if p.index != 0 {
				w.tell(p.index, p.node, overlay.Join{Addrs: []string{placeName(0)}})
			}
		}
		w.run(time.Minute)
		if lasting := w.lasting(); len(lasting) > 0 {
			t.Fatalf("a minute after the faults: %v", lasting)
		}
		// Eight nodes with three neighbors each may be two islands of four: then
		// it takes until the next refresh.
		if d := w.until(2*DefaultRefresh, 500*time.Millisecond, w.healed); !w.healed() {
			t.Fatalf("%v after the faults: parts of %v\n%s", time.Minute+d, w.parts(), w.neighbors())
		}
	})
}

// fatal lets a world stop a rapid test.
type fatal struct {
	testing.TB
	t *rapid.T
}

func (f fatal) Helper()                           {}
func (f fatal) Fatal(args ...any)                 { f.t.Fatal(args...) }
func (f fatal) Fatalf(format string, args ...any) { f.t.Fatalf(format, args...) }
func (f fatal) Errorf(format string, args ...any) { f.t.Errorf(format, args...) }

// A hostile neighbor sends what no node would: it is believed as little as
// possible, and what it says is bounded.
func TestHostileMessagesAreContained(t *testing.T) {
	s := newSolo(t, quiet("s1"))
	friends := nodes("a", 3)
	s.befriend(friends...)
	evil := friends[0]
	huge := append(nodes("x", 600), overlay.Node{}, overlay.Node{Name: "bad"}, node("s1"), node("s7"))
	slices.Reverse(huge)
	for range 100 {
		s.step(overlay.Received{From: evil, Message: Shuffle{Origin: evil, Number: 1, TTL: -5, Nodes: huge}})
		s.step(overlay.Received{From: evil, Message: ShuffleReply{Number: 77, Nodes: huge}})
	}
	if n := len(s.c.Passive()); n != 8-4 {
		t.Errorf("%d of the giant list are passive: %v", n, s.c.Passive())
	}
	// It has this node dial others, but not many at a time.
	for _, n := range nodes("y", 600) {
		s.step(overlay.Received{From: evil, Message: ForwardJoin{Node: n, TTL: 0}})
		s.step(overlay.Received{From: evil, Message: Shuffle{Origin: n, Number: 1, TTL: 1, Nodes: []overlay.Node{n}}})
	}
	if n := len(s.c.peers); n > DefaultActiveSize+DefaultMaxLinks {
		t.Errorf("%d peers", n)
	}
	// Strangers cannot take part at all, before they are linked.
	stranger := node("z1")
	before := s.views()
	s.take()
	for _, m := range []overlay.Message{Join{Number: 1}, Neighbor{Number: 1, High: true}, Leave{}, Alive{Number: 1}, 42, nil} {
		s.step(overlay.Received{From: stranger, Message: m})
	}
	if out := s.take(); out != "" || s.views() != before {
		t.Errorf("a stranger has made it do %s", out)
	}
	// Nor can anybody end what is between others.
	s.step(overlay.Received{From: evil, Message: Disconnect{Of: 2, Number: 0}})
	if out := s.take(); out != "" {
		t.Errorf("another's relation was ended: %s", out)
	}
}

// Others can make a node hold only so many links, and not for long.
func TestLinksOfManyStrangersAreBounded(t *testing.T) {
	s := newSolo(t, quiet("s1"))
	for _, n := range nodes("x", 200) {
		s.step(overlay.LinkUp{Node: n, Accepted: true})
	}
	if n := len(s.c.peers); n != DefaultActiveSize+DefaultMaxLinks {
		t.Errorf("%d links", n)
	}
	s.until(DefaultLinger + time.Second)
	if n := len(s.c.peers); n != 0 {
		t.Errorf("%d links after Linger", n)
	}
}
