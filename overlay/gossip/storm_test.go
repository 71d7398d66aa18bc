package gossip

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
	var nodes []overlay.Node
	for range draw(7) {
		nodes = append(nodes, draw.StormNode())
	}
	all := []overlay.Message{
		Ask{}, Ask{Urgent: true}, Agree{nodes}, Refuse{nodes}, Part{}, Sample{nodes}, Leave{}, overlay.Ping{}, nil, 42,
	}
	return all[draw(len(all))]
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
	c, err := New(Config{Self: topology.Node("s1"), Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Refuse{}, Part{}, Sample{}, Leave{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: topology.Node("z1"), Message: m}); len(e) > 0 {
			t.Errorf("a stranger without a link has made it do %v with %T", e, m)
		}
	}
	huge := []overlay.Node{{}, {Name: "bad"}, topology.Node("s1"), topology.Node("s7")}
	for i := range 1000 {
		huge = append(huge, overlay.Node{Name: fmt.Sprintf("x%d@x:%d", i, i), Boot: 1})
	}
	c.Step(epoch, overlay.LinkUp{Node: topology.Node("e1"), Accepted: true})
	c.Step(epoch, overlay.Received{From: topology.Node("e1"), Message: Ask{}})
	dials := 0
	for i := range 1000 {
		for _, e := range c.Step(epoch, overlay.Received{From: topology.Node("e1"), Message: Sample{Nodes: huge[i:]}}) {
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
