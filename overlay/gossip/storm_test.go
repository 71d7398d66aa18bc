package gossip

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/overlay"
)

// stormNode draws a node: few names, so that they meet, in three incarnations, and
// some that are none, or somewhere else than they say.
func stormNode(t *rapid.T) overlay.Node {
	if rapid.IntRange(0, 19).Draw(t, "odd") == 0 {
		return rapid.SampledFrom([]overlay.Node{{}, {Name: "@"}, {Name: "x"}, {Name: "s@s", Boot: 9}, {Name: "q@n1", Boot: 1}}).Draw(t, "node")
	}
	n := fmt.Sprintf("n%d", rapid.IntRange(0, 5).Draw(t, "name"))
	return overlay.Node{Name: n + "@" + n, Boot: rapid.Uint64Range(1, 3).Draw(t, "boot")}
}

func stormEvent(t *rapid.T, m func(*rapid.T) overlay.Message) overlay.Event {
	addr := func() string { return stormNode(t).Addr() }
	switch rapid.IntRange(0, 14).Draw(t, "event") {
	case 0, 1:
		return overlay.LinkUp{Node: stormNode(t), Accepted: rapid.Bool().Draw(t, "accepted")}
	case 2:
		return overlay.LinkDown{Node: stormNode(t)}
	case 3:
		return overlay.DialFailed{Node: stormNode(t), Alive: rapid.Bool().Draw(t, "alive")}
	case 4, 5:
		return overlay.Found{Addr: addr(), Node: stormNode(t)}
	case 6:
		return overlay.ProbeFailed{Addr: addr()}
	case 7:
		return overlay.RTT{Node: stormNode(t), RTT: time.Millisecond}
	case 8:
		return overlay.Met{Node: stormNode(t)}
	case 9:
		return overlay.Lost{Node: stormNode(t)}
	case 10:
		return overlay.Join{Addrs: []string{addr(), stormNode(t).Name}}
	}
	return overlay.Received{From: stormNode(t), Message: m(t)}
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
		case overlay.Probe:
			if e.Addr == "" || e.Addr == c.cfg.Self.Addr() {
				d.t.Fatalf("probes %q", e.Addr)
			}
		case overlay.Send:
			if !d.linked[e.To] {
				d.t.Fatalf("sends to %v, to which there is no link", e.To)
			}
		case overlay.Disconnect:
			delete(d.linked, e.Node)
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
		default:
			d.t.Fatalf("%T is not for it to say", e)
		}
	}
	if err := c.valid(); err != nil {
		d.t.Fatal(err)
	}
	if len(c.Neighbors()) != len(d.up) {
		d.t.Fatalf("neighbors %v, announced %v", c.Neighbors(), d.up)
	}
	for _, n := range c.Neighbors() {
		if !d.up[n] || !d.linked[n] {
			d.t.Fatalf("%v is a neighbor, up %v, linked %v", n, d.up[n], d.linked[n])
		}
	}
}

// storm tells a core anything that can be said, in any order.
func storm(t *rapid.T, cfg Config, m func(*rapid.T) overlay.Message) {
	cfg.Self = overlay.Node{Name: "s@s", Boot: 1}
	cfg.Rand = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{t: t, linked: make(map[overlay.Node]bool), up: make(map[overlay.Node]bool)}
	now := epoch
	d.carryOut(c, c.Tick(now))
	for range rapid.IntRange(1, 80).Draw(t, "steps") {
		if next := c.Deadline(); rapid.IntRange(0, 4).Draw(t, "tick") == 0 && !next.IsZero() {
			if next.Before(now) {
				t.Fatalf("the deadline %v has passed at %v", next, now)
			}
			now = next
			d.carryOut(c, c.Tick(now))
			if next := c.Deadline(); !next.IsZero() && !next.After(now) {
				t.Fatalf("after the tick at %v the deadline is %v", now, next)
			}
		} else {
			ev := stormEvent(t, m)
			d.before(ev)
			d.carryOut(c, c.Step(now, ev))
		}
	}
	d.carryOut(c, c.Step(now, overlay.LeaveRequested{}))
	if len(d.up) > 0 || !c.Deadline().IsZero() || len(c.Step(now, overlay.Met{Node: stormNode(t)})) > 0 || len(c.Tick(now)) > 0 {
		t.Fatalf("it has left, and goes on: %v", d.up)
	}
}

func stormMessage(t *rapid.T) overlay.Message {
	var nodes []overlay.Node
	for range rapid.IntRange(0, 6).Draw(t, "length") {
		nodes = append(nodes, stormNode(t))
	}
	return rapid.SampledFrom([]overlay.Message{
		Ask{}, Ask{Urgent: true}, Agree{nodes}, Refuse{nodes}, Part{}, Sample{nodes}, Leave{}, overlay.Ping{}, nil, 42,
	}).Draw(t, "message")
}

func TestAnySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		storm(t, Config{
			Seeds: []string{"n1", "s"}, Fanout: rapid.IntRange(0, 2).Draw(t, "fanout"), MaxFanout: 2, Refresh: 5 * time.Second,
			Sample: 3, Attempts: 2, MaxFaded: 2, MaxKnown: 4, MaxLinks: 1, MaxSeeds: 2,
		}, stormMessage)
	})
}

// A hostile neighbor names nodes that are not, and asks for everything: it is
// believed as little as possible, and what it says is bounded.
func TestHostileMessagesAreContained(t *testing.T) {
	c, err := New(Config{Self: node("s1"), Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Refuse{}, Part{}, Sample{}, Leave{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: node("z1"), Message: m}); len(e) > 0 {
			t.Errorf("a stranger without a link has made it do %v with %T", e, m)
		}
	}
	huge := []overlay.Node{{}, {Name: "bad"}, node("s1"), node("s7")}
	for i := range 1000 {
		huge = append(huge, overlay.Node{Name: fmt.Sprintf("x%d@x:%d", i, i), Boot: 1})
	}
	c.Step(epoch, overlay.LinkUp{Node: node("e1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: node("e1"), Message: Ask{}})
	dials := 0
	for i := range 1000 {
		for _, e := range c.Step(epoch, overlay.Received{From: node("e1"), Message: Sample{Nodes: huge[i:]}}) {
			if _, ok := e.(overlay.Dial); ok {
				dials++
			}
		}
	}
	if n := len(c.peers); n > c.Fanout()+1 || dials > c.Fanout() || len(c.members) > c.cfg.MaxKnown {
		t.Errorf("%d peers, %d dials, %d members", n, dials, len(c.members))
	}
	// Urgent requests of many push neighbors out, but there are never more of them.
	for i := range 200 {
		n := overlay.Node{Name: fmt.Sprintf("y%d@y:%d", i, i), Boot: 1}
		c.Step(epoch, overlay.LinkUp{Node: n, Accepted: true})
		c.Step(epoch, overlay.Received{From: n, Message: Ask{Urgent: true}})
	}
	if n := len(c.Neighbors()); n > 2*c.Fanout() {
		t.Errorf("%d neighbors", n)
	}
	if err := c.valid(); err != nil {
		t.Error(err)
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Seeds: []string{"a", "b"}, Fanout: 5, MaxFanout: 4, Misses: -1, Refresh: -1, RedialMin: 2, RedialMax: 1, MaxSeeds: 1, MaxKnown: -1,
	})
	for _, want := range []string{`"x" is not name@address`, "Rand", "Misses", "MaxFanout 4", "Refresh", "RedialMin", "MaxKnown", "2 Seeds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
