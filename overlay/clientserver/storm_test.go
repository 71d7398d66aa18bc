package clientserver

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

// storm tells a core anything that can be said, in any order.
func storm(t *rapid.T, cfg Config, m func(topology.Draw) overlay.Message) {
	cfg.Self = overlay.Node{Name: "s@s", Boot: 1}
	cfg.Rand = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	draw := topology.Draw(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") })
	topology.Storm(t, draw, cfg.Self, c, (*Core).valid, func() overlay.Message { return m(draw) })
}

func stormMessage(draw topology.Draw) overlay.Message {
	var claims []Claim
	for range draw(5) {
		numbers := []uint64{0, 1, 2, 3, 4, 5, 9, 1 << 40, 1<<64 - 1}
		n := draw.StormNode()
		if draw(5) == 0 {
			n = overlay.Node{Name: "s@s", Boot: 1}
		}
		claims = append(claims, Claim{n, numbers[draw(len(numbers))], Standing(draw(4))})
	}
	all := []overlay.Message{
		Ask{claims}, Ask{}, Agree{claims}, Refuse{Claims: claims}, News{claims}, Part{}, Leave{}, overlay.Ping{}, nil, 42,
	}
	return all[draw(len(all))]
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
	c, err := New(Config{Self: topology.Node("s1"), Role: Server, MaxClients: 100, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Refuse{}, Part{}, News{}, Leave{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: topology.Node("z1"), Message: m}); len(e) > 0 {
			t.Errorf("a stranger without a link has made it do %v with %T", e, m)
		}
	}
	c.Step(epoch, overlay.LinkUp{Node: topology.Node("b1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: topology.Node("b1"), Message: Ask{Claims: []Claim{{topology.Node("b1"), 1, Serving}}}})
	c.Step(epoch, overlay.LinkUp{Node: topology.Node("e1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: topology.Node("e1"), Message: Ask{}})
	// What it says of this node is denied, what it says of a linked one's other
	// incarnation is not believed, and a number that leaves no room is not taken.
	var denied []Claim
	for _, e := range c.Step(epoch, overlay.Received{From: topology.Node("e1"), Message: News{[]Claim{
		{topology.Node("s1"), 1000, Idle}, {topology.Node("b7"), 2000, Serving}, {topology.Node("x1"), 1<<64 - 1, Serving}, {overlay.Node{}, 3, Serving},
	}}}) {
		if s, ok := e.(overlay.Send); ok && s.To == topology.Node("e1") {
			denied = s.Message.(News).Claims
		}
	}
	if len(denied) != 1 || denied[0].Node != topology.Node("s1") || denied[0].Number != 1001 || denied[0].Standing != Serving {
		t.Errorf("it has said %v", denied)
	}
	if got := topology.Names(c.Servers()); got != "b1 s1" {
		t.Errorf("servers: %s", got)
	}
	var claims []Claim
	for i := range 1000 {
		claims = append(claims, Claim{overlay.Node{Name: fmt.Sprintf("x%d@x:%d", i, i), Boot: 1}, 5, Serving})
	}
	for i := range 1000 {
		c.Step(epoch, overlay.Received{From: topology.Node("e1"), Message: News{claims[i:]}})
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
