package static

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

func TestAnySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Peers: []string{"n1", "n2@n2", "s"}, MaxPeers: 4, MaxGuests: 2}
		if rapid.Bool().Draw(t, "anyone") {
			cfg.Accept = Anyone
		}
		storm(t, cfg, func(t *rapid.T) overlay.Message {
			return rapid.SampledFrom([]overlay.Message{Ask{}, Agree{}, Refuse{}, Leave{}, overlay.Ping{}, nil, 42}).Draw(t, "message")
		})
	})
}

// Strangers get nothing out of a node but a refusal, and guests no more than their
// number of links.
func TestHostileMessagesAreContained(t *testing.T) {
	c, err := New(Config{Self: node("s1"), Peers: []string{"b"}, Accept: Anyone, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Leave{}, Refuse{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: node("z1"), Message: m}); len(e) > 0 {
			t.Errorf("a stranger without a link has made it do %v with %T", e, m)
		}
	}
	links := 0
	for i := range 1000 {
		n := overlay.Node{Name: fmt.Sprintf("x%d@x:%d", i, i), Boot: 1}
		up := c.Step(epoch, overlay.LinkUp{Node: n, Accepted: true})
		ask := c.Step(epoch, overlay.Received{From: n, Message: Ask{}})
		if len(up) == 0 && len(ask) == 2 {
			links++
		}
		c.Step(epoch, overlay.Met{Node: n})
	}
	if links != DefaultMaxGuests || len(c.Neighbors()) != links {
		t.Errorf("%d guests", links)
	}
	join := make([]string, 1000)
	for i := range join {
		join[i] = fmt.Sprint("y:", i)
	}
	c.Step(epoch, overlay.Join{Addrs: join})
	if n := c.listed(); n != DefaultMaxPeers {
		t.Errorf("%d peers", n)
	}
	// Probes that are answered by whoever it may be give one dial each.
	dials := 0
	for range 1000 {
		for _, e := range c.Step(epoch, overlay.Found{Addr: "b", Node: node("z1")}) {
			if _, ok := e.(overlay.Dial); ok {
				dials++
			}
		}
	}
	if dials > 1 {
		t.Errorf("%d dials for one probe", dials)
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Accept: "all", Peers: []string{"b@", "@c", ""}, RedialMin: 2, RedialMax: 1, Yield: -1, Asks: -1, MaxPeers: 1,
	})
	for _, want := range []string{`"x" is not name@address`, "Rand", `"all"`, `"b@"`, `"@c"`, `""`, "RedialMin", "Yield", "Asks", "MaxPeers"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
