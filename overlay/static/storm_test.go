package static

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

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

func TestAnySequenceOfEventsKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Peers: []string{"n1", "n2@n2", "s"}, MaxPeers: 4, MaxGuests: 2}
		if rapid.Bool().Draw(t, "anyone") {
			cfg.Accept = Anyone
		}
		storm(t, cfg, func(draw topology.Draw) overlay.Message {
			all := []overlay.Message{Ask{}, Agree{}, Refuse{}, Leave{}, overlay.Ping{}, nil, 42}
			return all[draw(len(all))]
		})
	})
}

// Strangers get nothing out of a node but a refusal, and guests no more than their
// number of links.
func TestHostileMessagesAreContained(t *testing.T) {
	c, err := New(Config{Self: topology.Node("s1"), Peers: []string{"b"}, Accept: Anyone, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	c.Tick(epoch)
	for _, m := range []overlay.Message{Ask{}, Agree{}, Leave{}, Refuse{}, 42, nil} {
		if e := c.Step(epoch, overlay.Received{From: topology.Node("z1"), Message: m}); len(e) > 0 {
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
		for _, e := range c.Step(epoch, overlay.Found{Addr: "b", Node: topology.Node("z1")}) {
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
