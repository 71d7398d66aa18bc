package remote_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/remote"
)

// sparse starts n nodes with partial views, each with the first two for seeds.
func (w *world) sparse(t *testing.T, n int) []*host {
	t.Helper()
	var all []*host
	for i := range n {
		cfg := w.config(fmt.Sprint("n", i), all[:min(len(all), 2)]...)
		cfg.Topology = remote.HyParView
		all = append(all, start(t, cfg))
		w.pass(100 * time.Millisecond)
	}
	w.pass(30 * time.Second)
	return all
}

// know checks that the hosts, and nobody else, are members for each other.
func know(t *testing.T, hosts []*host) {
	t.Helper()
	for _, h := range hosts {
		members := make(map[actor.NodeID]bool)
		for _, m := range h.Members() {
			members[m.Node] = true
		}
		for _, other := range hosts {
			if !members[other.ID()] {
				t.Errorf("%v does not know %v", h.ID().Name, other.ID().Name)
			}
		}
		if len(members) != len(hosts) {
			t.Errorf("%v knows %d members, not %d", h.ID().Name, len(members), len(hosts))
		}
	}
}

// links counts the members that a node is linked to.
func links(h *host) (n int) {
	for _, m := range h.Members() {
		if m.Linked && !m.Self {
			n++
		}
	}
	return n
}

func without(hosts []*host, gone *host) (rest []*host) {
	for _, h := range hosts {
		if h != gone {
			rest = append(rest, h)
		}
	}
	return rest
}

func TestNodesWithPartialViewsKnowAllAndReachAll(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 16)
		know(t, all)
		for _, h := range all {
			if n := links(h); n < 1 || n > 8 {
				t.Errorf("%v is linked to %d", h.ID().Name, n)
			}
		}
		// Whoever two are, they talk to each other over connections of their own.
		rng := rand.New(rand.NewPCG(1, 1))
		for i := range 30 {
			a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
			pid := b.spawn(t, &counter{n: i}, actor.Name(fmt.Sprint("c", i)))
			if n, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); n != i || err != nil {
				t.Errorf("%v calls %v: %d, %v", a.ID().Name, b.ID().Name, n, err)
			}
			named := actor.NameAt{Name: actor.Name(fmt.Sprint("c", i)), Node: b.ID().Name}
			if n, err := actor.Call[int](t.Context(), a.sys, named, Get{}); n != i || err != nil {
				t.Errorf("%v calls a name at %v: %d, %v", a.ID().Name, b.ID().Name, n, err)
			}
		}
	})
}

func TestDeathOfANodeIsKnownToThoseThatAreNotLinkedToIt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 14)
		dead := all[5]
		var probes []*probe
		pid := dead.spawn(t, &counter{})
		for _, h := range without(all, dead) {
			p := newProbe(false)
			probes = append(probes, p)
			h.do(t, h.spawn(t, p), func(self *actor.Self) { self.Monitor(pid) })
		}
		w.pass(time.Second)
		w.net.Kill("n5")
		begun := time.Now()
		w.pass(3 * time.Second)
		know(t, without(all, dead))
		for i, p := range probes {
			if len(p.got) != 1 {
				t.Errorf("process %d has not been told after %v", i, time.Since(begun))
				continue
			}
			if down, ok := (<-p.got).(actor.Down); !ok || !errors.Is(down.Reason, actor.ErrNoConnection) {
				t.Errorf("process %d has been told %v", i, down)
			}
		}
	})
}

func TestNodeThatLeavesPartialViewsIsGoneEverywhere(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 10)
		gone := all[4]
		if err := gone.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		w.pass(3 * time.Second)
		rest := without(all, gone)
		know(t, rest)
		for _, h := range rest {
			left := false
			for len(h.news) > 0 {
				ev := <-h.news
				left = left || ev.Kind == remote.MemberLeft && ev.Node == gone.ID()
			}
			if !left {
				t.Errorf("%v does not know that it has left", h.ID().Name)
			}
		}
	})
}

func TestPartitionOfPartialViewsIsToldAndHeals(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 12)
		var healed, detected atomic.Int64
		for _, h := range all[:1] {
			h.Observe(func(e remote.Event) {
				if r, ok := e.(remote.OverlayReport); ok {
					switch r.Value.(type) {
					case directory.PartitionDetected:
						detected.Add(1)
					case directory.PartitionHealed:
						healed.Add(1)
					}
				}
			})
		}
		for i := range 8 {
			for j := 8; j < 12; j++ {
				w.net.Partition(fmt.Sprint("n", i), fmt.Sprint("n", j))
			}
		}
		w.pass(time.Minute)
		know(t, all[:8])
		know(t, all[8:])
		if detected.Load() == 0 {
			t.Error("nobody is told of the partition")
		}
		for i := range 8 {
			for j := 8; j < 12; j++ {
				w.net.Heal(fmt.Sprint("n", i), fmt.Sprint("n", j))
			}
		}
		w.pass(3 * time.Minute)
		know(t, all)
		if healed.Load() == 0 {
			t.Error("nobody is told that it has healed")
		}
		for _, h := range all {
			for len(h.news) > 0 {
				if ev := <-h.news; errors.Is(ev.Reason, overlay.ErrRestarted) {
					t.Errorf("%v thinks that %v was restarted", h.ID().Name, ev.Node.Name)
				}
			}
		}
	})
}
