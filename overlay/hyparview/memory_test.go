package hyparview

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// idle returns n cores with full views, chosen among as many nodes, that have
// shuffled and checked, and wait.
func idle(tb testing.TB, n int, xbot *XBot) []*Core {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]overlay.Node, n)
	for i := range all {
		all[i] = overlay.Node{Name: fmt.Sprintf("node%d@10.0.0.%d:%d", i, i%250, 4000+i), Boot: 1, Unique: "u"}
	}
	var pool overlay.NodePool
	cores := make([]*Core, n)
	for i := range cores {
		now := epoch
		c, err := New(Config{Self: all[i], Seeds: []string{all[0].Addr()}, XBot: xbot, Pool: &pool, Rand: rand.New(rand.NewPCG(uint64(i), 3))})
		if err != nil {
			tb.Fatal(err)
		}
		c.Tick(now)
		for range 5 {
			peer := all[rng.IntN(n)]
			c.Step(now, overlay.LinkUp{Node: peer, Accepted: true})
			c.Step(now, overlay.Received{From: peer, Message: Neighbor{Number: 1, High: true}})
			c.Step(now, overlay.RTT{Node: peer, RTT: time.Millisecond})
		}
		for len(c.passive) < c.cfg.PassiveSize {
			c.Step(now, overlay.Met{Node: all[rng.IntN(n)]})
		}
		for now = c.Deadline(); now.Sub(epoch) < 30*time.Second; now = c.Deadline() {
			for _, e := range c.Tick(now) {
				switch e := e.(type) {
				case overlay.Probe:
					for _, k := range c.passive {
						if k.Addr() == e.Addr {
							c.Step(now, overlay.Found{Addr: e.Addr, Node: *k})
							break
						}
					}
				case overlay.Dial: // a refresh: nobody is there
					c.Step(now, overlay.DialFailed{Node: e.Node, Alive: true})
				case overlay.Measure:
					c.Step(now, overlay.RTT{Node: e.Node, RTT: time.Millisecond})
				}
			}
		}
		cores[i] = c
	}
	return cores
}

func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Hundred thousand cores must fit into one process. What they have in common,
// which is the nodes themselves, is counted here once for each core.
func TestIdleCoreTakesTwoKilobytes(t *testing.T) {
	const n = 1000
	for _, tt := range []struct {
		xbot  *XBot
		limit uint64
	}{{nil, 2048}, {&XBot{}, 2600}} {
		before := heapBytes()
		cores := idle(t, n, tt.xbot)
		each := (heapBytes() - before) / n
		active, passive := 0, 0
		for _, c := range cores {
			active, passive = active+len(c.Active()), passive+len(c.Passive())
		}
		t.Logf("%d bytes an idle core, with %.1f active and %.1f passive nodes; X-BOT %v", each, float64(active)/n, float64(passive)/n, tt.xbot != nil)
		if each > tt.limit {
			t.Errorf("%d bytes an idle core, more than %d; X-BOT %v", each, tt.limit, tt.xbot != nil)
		}
		runtime.KeepAlive(cores)
	}
}

// One operation is the Tick and all answers of one core.
func BenchmarkTickOfOneCore(b *testing.B) {
	c := idle(b, 100, nil)[0]
	b.ReportAllocs()
	for b.Loop() {
		now := c.Deadline()
		for _, e := range c.Tick(now) {
			if dial, ok := e.(overlay.Dial); ok {
				c.Step(now, overlay.DialFailed{Node: dial.Node, Alive: true})
			}
		}
		for _, p := range c.peers {
			p.due = c.now + c.patience() // all are well
		}
	}
}

func BenchmarkShuffleOnItsWay(b *testing.B) {
	c := idle(b, 100, nil)[0]
	now := c.start.Add(c.now)
	from := c.Active()[0]
	var m overlay.Event = overlay.Received{From: from, Message: Shuffle{Origin: from, Number: 1, TTL: 6, Nodes: c.Passive()[:8]}}
	b.ReportAllocs()
	for b.Loop() {
		c.Step(now, m)
	}
}
