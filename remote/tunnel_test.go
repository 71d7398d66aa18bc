package remote_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/remote"
)

// led counts the connections that hosts have led on.
func led(hosts ...*host) (n uint64) {
	for _, h := range hosts {
		n += h.Stats().Tunnelled
	}
	return n
}

// ordered checks that seen has the numbers from 0 to n-1, in order.
func ordered(t *testing.T, seen []int, n int) {
	t.Helper()
	for i, got := range seen {
		if got != i {
			t.Fatalf("%d came as the %dth", got, i)
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d came", len(seen), n)
	}
}

// Two nodes lose the way to each other, which others still have to both.
func partAPair(t *testing.T, w *world, h []*host) {
	var mu sync.Mutex
	var seen []int
	pid := h[0].spawn(t, &counter{mu: &mu, seen: &seen})
	sent := 0
	send := func(n int) {
		for range n {
			if err := h[1].sys.Send(pid, Add{sent}); err != nil {
				t.Fatal(err)
			}
			sent++
			w.pass(5 * time.Millisecond)
		}
	}
	send(200)
	w.net.Partition("a", "b")
	send(4000) // 20 s
	if led(h[2:]...) == 0 {
		t.Error("nobody has led to the other")
	}
	begun := time.Now()
	if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); err != nil || time.Since(begun) > time.Second {
		t.Errorf("call: %v after %v", err, time.Since(begun))
	}
	for _, n := range h {
		n.quiet(t) // nobody is down
	}
	w.net.Heal("a", "b")
	send(10000) // 50 s
	if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	ordered(t, seen, sent)
	for _, l := range h[1].Lanes() {
		if l.Node == h[0].ID() && l.Relayed {
			t.Errorf("%s/%d still goes over others", l.Channel, l.Lane)
		}
	}
}

func TestOthersLeadToANodeThatCannotBeReachedDirectly(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) { partAPair(t, w, w.cluster("a", "b", "c", "d")) })
}

func TestOthersLeadToANodeInsideTLS(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		i := newIssuer(t)
		var h []*host
		for _, name := range []string{"a", "b", "c"} {
			h = append(h, w.startTLS(i, name, h[:min(len(h), 1)]...))
		}
		meet(t, h...)
		partAPair(t, w, h)
	})
}

// Each reaches only those beside it.
func TestWayMayLeadOverSeveralNodes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		names := []string{"a", "b", "c", "d"}
		h := w.cluster(names...)
		for i := range names {
			for j := range i - 1 {
				w.net.Partition(names[i], names[j])
			}
		}
		pid := h[3].spawn(t, &counter{n: 7})
		w.pass(20 * time.Second)
		for i, from := range h {
			if n, err := actor.Call[int](t.Context(), from.sys, pid, Get{}); n != 7 || err != nil {
				t.Errorf("from %s: %d, %v", names[i], n, err)
			}
			from.quiet(t)
		}
	})
}

func TestHiddenNodesReachEachOtherOverAServer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("hub")
		cfg.Topology, cfg.Role = remote.ClientServer, clientserver.Server
		hub := start(t, cfg)
		var h []*host
		for i := range 4 {
			cfg := w.config(fmt.Sprint("p", i), hub)
			cfg.Topology, cfg.Role, cfg.Hidden = remote.ClientServer, clientserver.Client, true
			cfg.Advertise = "nowhere:1"
			h = append(h, start(t, cfg))
		}
		meet(t, append(slices.Clone(h), hub)...)
		w.pass(30 * time.Second)
		pid := h[0].spawn(t, &counter{n: 3})
		p := newProbe(false)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		for i, from := range h {
			if n, err := actor.Call[int](t.Context(), from.sys, pid, Get{}); n != 3 || err != nil {
				t.Errorf("from p%d: %d, %v", i, n, err)
			}
		}
		if err := h[2].sys.Send(pid, Fail{"normal"}); err != nil {
			t.Error(err)
		}
		next[actor.Down](t, p)
		for _, n := range append(slices.Clone(h), hub) {
			n.quiet(t)
		}
		if led(hub) == 0 {
			t.Error("the hub has led nobody on")
		}
	})
}

func TestNobodyIsLedToAStranger(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		stranger := w.start("x") // of no cluster
		w.net.Partition("a", "x")
		pid := stranger.spawn(t, &counter{})
		if _, err := actor.Call[int](t.Context(), h[0].sys, pid, Get{}); err == nil {
			t.Error("the call was answered")
		}
		if led(h...) != 0 {
			t.Error("somebody has led on to a stranger")
		}
	})
}
