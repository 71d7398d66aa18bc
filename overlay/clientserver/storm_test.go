package clientserver

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
	var claims []Claim
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		number := rapid.SampledFrom([]uint64{0, 1, 2, 3, 4, 5, 9, 1 << 40, 1<<64 - 1}).Draw(t, "number")
		n := stormNode(t)
		if rapid.IntRange(0, 4).Draw(t, "self") == 0 {
			n = overlay.Node{Name: "s@s", Boot: 1}
		}
		claims = append(claims, Claim{n, number, Standing(rapid.IntRange(0, 3).Draw(t, "standing"))})
	}
	return rapid.SampledFrom([]overlay.Message{
		Ask{claims}, Ask{}, Agree{claims}, Refuse{Claims: claims}, News{claims}, Part{}, Leave{}, overlay.Ping{}, nil, 42,
	}).Draw(t, "message")
}

func TestAnySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		storm(t, Config{
			Seeds: []string{"n1", "s"}, Role: rapid.SampledFrom([]Role{Auto, Server, Client}).Draw(t, "role"),
			Servers: 1, MaxServers: rapid.IntRange(1, 2).Draw(t, "servers"), MaxClaims: 3, MaxClients: 2, MaxMembers: 4, MaxLinks: 2, MaxSeeds: 2,
			Interval: 5 * time.Second, Attempts: 2, Forget: 20 * time.Second,
		}, stormMessage)
	})
}

// A hostile client claims that all sorts of nodes serve, and that this one does not.
func TestHostileMessagesAreContained(t *testing.T) {
	c, err := New(Config{Self: node("s1"), Role: Server, MaxClients: 100, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Refuse{}, Part{}, News{}, Leave{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: node("z1"), Message: m}); len(e) > 0 {
			t.Errorf("a stranger without a link has made it do %v with %T", e, m)
		}
	}
	c.Step(epoch, overlay.LinkUp{Node: node("b1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: node("b1"), Message: Ask{Claims: []Claim{{node("b1"), 1, Serving}}}})
	c.Step(epoch, overlay.LinkUp{Node: node("e1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: node("e1"), Message: Ask{}})
	// What it says of this node is denied, what it says of a linked one's other
	// incarnation is not believed, and a number that leaves no room is not taken.
	var denied []Claim
	for _, e := range c.Step(epoch, overlay.Received{From: node("e1"), Message: News{[]Claim{
		{node("s1"), 1000, Idle}, {node("b7"), 2000, Serving}, {node("x1"), 1<<64 - 1, Serving}, {overlay.Node{}, 3, Serving},
	}}}) {
		if s, ok := e.(overlay.Send); ok && s.To == node("e1") {
			denied = s.Message.(News).Claims
		}
	}
	if len(denied) != 1 || denied[0].Node != node("s1") || denied[0].Number != 1001 || denied[0].Standing != Serving {
		t.Errorf("it has said %v", denied)
	}
	if got := nodeNames(c.Servers()); got != "b1 s1" {
		t.Errorf("servers: %s", got)
	}
	var claims []Claim
	for i := range 1000 {
		claims = append(claims, Claim{overlay.Node{Name: fmt.Sprintf("x%d@x:%d", i, i), Boot: 1}, 5, Serving})
	}
	for i := range 1000 {
		c.Step(epoch, overlay.Received{From: node("e1"), Message: News{claims[i:]}})
	}
	if n := len(c.Servers()); n > DefaultMaxClaims || !c.Serving() {
		t.Errorf("%d servers, serving %v", n, c.Serving())
	}
	busy := 0
	for i := range 1000 {
		n := overlay.Node{Name: fmt.Sprintf("y%d@y:%d", i, i), Boot: 1}
		c.Step(epoch, overlay.LinkUp{Node: n, Accepted: true})
		for _, e := range c.Step(epoch, overlay.Received{From: n, Message: Ask{}}) {
			if s, ok := e.(overlay.Send); ok {
				if m, ok := s.Message.(Refuse); ok && m.Busy {
					busy++
				}
			}
		}
	}
	if busy == 0 || len(c.Neighbors()) > 102 {
		t.Errorf("%d refused, %d neighbors", busy, len(c.Neighbors()))
	}
	if err := c.valid(); err != nil {
		t.Error(err)
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Role: "boss", Servers: 3, MaxServers: 2, Misses: -1, Interval: -1, RedialMin: 2, RedialMax: 1, MaxClients: -1,
	})
	for _, want := range []string{`"x" is not name@address`, "Rand", `"boss"`, "MaxServers 2", "Misses", "Interval", "RedialMin", "MaxClients"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
