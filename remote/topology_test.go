package remote_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// flow sends numbered, acknowledged messages from one node to a process of another.
type flow struct {
	from *host
	to   actor.PID
	sent int

	mu    sync.Mutex
	seen  []int
	at    time.Time // when the last one came
	pause time.Duration
}

func (f *flow) Receive(_ *actor.Self, msg any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, msg.(Add).N)
	if now := time.Now(); len(f.seen) > 1 {
		f.pause, f.at = max(f.pause, now.Sub(f.at)), now
	} else {
		f.at = now
	}
	return nil
}

// lowestOf returns the host that may change the topology.
func lowestOf(hosts []*host) *host {
	lowest := hosts[0].Members()[0].Node
	return hosts[slices.IndexFunc(hosts, func(h *host) bool { return h.ID() == lowest })]
}

func TestTopologyChangesUnderTrafficAndNothingIsLostOrReordered(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.net.SetLatency(time.Millisecond)
		h := w.cluster("a", "b", "c", "d", "e")
		var flows []*flow
		for i, from := range h {
			for j, to := range h {
				if i != j {
					f := &flow{from: from}
					f.to = to.spawn(t, f)
					flows = append(flows, f)
				}
			}
		}
		pause := 10 * time.Millisecond
		if testing.Short() {
			pause *= 4
		}
		steps := []remote.Topology{
			remote.HyParView, remote.ClientServer, remote.Gossip, remote.FullMesh, remote.ClientServer, remote.HyParView, remote.FullMesh,
		}
		for _, to := range steps {
			if err := lowestOf(h).SetTopology(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			for range int(15 * time.Second / pause) {
				for _, f := range flows {
					if err := f.from.sys.Send(f.to, Add{f.sent}, actor.Ack()); err != nil {
						t.Fatal(err)
					}
					f.sent++
				}
				w.pass(pause)
			}
			for _, n := range h {
				if n.Topology() != to {
					t.Errorf("%v has %v, not %v", n.ID().Name, n.Topology(), to)
				}
				n.quiet(t) // nobody is down
			}
		}
		w.pass(time.Second)
		for _, f := range flows {
			f.mu.Lock()
			ordered(t, f.seen, f.sent)
			if f.pause > 500*time.Millisecond {
				t.Errorf("nothing came for %v", f.pause)
			}
			f.mu.Unlock()
		}
	})
}

func TestOnlyTheLowestNodeChangesTheTopology(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		w.pass(time.Second)
		changes := make(chan remote.TopologyChanged, 10)
		h[2].Observe(func(ev remote.Event) {
			if ev, ok := ev.(remote.TopologyChanged); ok {
				changes <- ev
			}
		})
		lowest := lowestOf(h)
		for _, n := range h {
			err := n.SetTopology(t.Context(), remote.HyParView)
			if n == lowest && err != nil {
				t.Error(err)
			}
			if n != lowest && (!errors.Is(err, remote.ErrNotLowest) || !strings.Contains(err.Error(), lowest.ID().Name)) {
				t.Errorf("%v: %v", n.ID().Name, err)
			}
		}
		w.pass(time.Second)
		if ev := <-changes; ev != (remote.TopologyChanged{From: remote.FullMesh, To: remote.HyParView, Epoch: 1, Proposer: lowest.ID()}) {
			t.Errorf("%+v", ev)
		}
		if err := lowest.SetTopology(t.Context(), 99); err == nil {
			t.Error("there is a 99th topology")
		}
		// What is joined later is known to topologies after that, too.
		x := w.start("x")
		x.Join(h[0].Addr())
		w.pass(20 * time.Second)
		know(t, append(slices.Clone(h), x))
		if x.Topology() != remote.HyParView {
			t.Errorf("x has %v", x.Topology())
		}
		w.net.Kill("x")
		w.pass(10 * time.Second)
		// Whoever joins takes it over.
		d := w.start("d", h[0])
		w.pass(20 * time.Second)
		if d.Topology() != remote.HyParView {
			t.Errorf("the new one has %v", d.Topology())
		}
	})
}

func TestEveryTopologyKnowsAllAndNoticesADeath(t *testing.T) {
	for _, topology := range []remote.Topology{remote.ClientServer, remote.Gossip, remote.Static} {
		t.Run(topology.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				var all []*host
				for i := range 9 {
					cfg := w.config(fmt.Sprint("n", i), all[:min(len(all), 2)]...)
					cfg.Topology = topology
					all = append(all, start(t, cfg))
					w.pass(100 * time.Millisecond)
				}
				w.pass(30 * time.Second)
				know(t, all)
				pid := all[8].spawn(t, &counter{n: 5})
				for _, h := range all {
					if n, err := actor.Call[int](t.Context(), h.sys, pid, Get{}); n != 5 || err != nil {
						t.Errorf("%v: %d, %v", h.ID().Name, n, err)
					}
				}
				w.net.Kill("n8")
				w.pass(2 * time.Second)
				know(t, all[:8])
				w.net.Partition("n7", "n6")
				w.pass(20 * time.Second)
				know(t, all[:8]) // others reach both
			})
		})
	}
}

func TestTopologiesHaveTexts(t *testing.T) {
	for _, topology := range []remote.Topology{remote.FullMesh, remote.HyParView, remote.ClientServer, remote.Gossip, remote.Static} {
		text, _ := topology.MarshalText()
		var back remote.Topology
		if err := back.UnmarshalText(text); err != nil || back != topology {
			t.Errorf("%s: %v, %v", text, back, err)
		}
	}
	if err := new(remote.Topology).UnmarshalText([]byte("ring")); err == nil {
		t.Error("there is a ring")
	}
}
