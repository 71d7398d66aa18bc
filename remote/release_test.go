package remote_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// peersOf counts the nodes that n keeps lanes for.
func peersOf(n *host) int {
	seen := make(map[actor.NodeID]bool)
	for _, l := range n.Lanes() {
		seen[l.Node] = true
	}
	return len(seen)
}

func TestPeersThatWereOnlyAskedSomethingAreReleased(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 24)
		w.pass(5 * time.Minute)
		before := runtime.NumGoroutine()
		kept := 0
		for _, h := range all {
			kept += peersOf(h)
		}
		if mean := kept / len(all); mean > 15 {
			t.Errorf("%d peers a node, of 23", mean)
		}
		t.Logf("%d peers, %d goroutines", kept, before)
		know(t, all)
		// Whoever was released is there as if nothing had happened, whichever side
		// begins, and stays.
		var pids []actor.PID
		for i, h := range all {
			pids = append(pids, h.spawn(t, &counter{n: i}))
		}
		for i, from := range all {
			for j, pid := range pids {
				if n, err := actor.Call[int](t.Context(), from.sys, pid, Get{}); n != j || err != nil {
					t.Fatalf("%d calls %d: %d, %v", i, j, n, err)
				}
			}
		}
		w.pass(5 * time.Minute)
		for _, h := range all {
			if got := peersOf(h); got != len(all)-1 {
				t.Errorf("%v keeps %d peers, though it has talked to all", h.ID().Name, got)
			}
			for len(h.news) > 0 {
				if ev := <-h.news; ev.Kind.String() != "up" {
					t.Errorf("%v: %v %v: %v", h.ID().Name, ev.Kind, ev.Node, ev.Reason)
				}
			}
		}
	})
}

// Senders that come while peers are being released lose nothing.
func TestReleaseLosesNothingOfWhoComesAtThatMoment(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.sparse(t, 12)
		got := make([]int, len(all))
		var pids []actor.PID
		for i, h := range all {
			pids = append(pids, h.spawn(t, actor.Func(func(*actor.Self, any) error { got[i]++; return nil }), actor.Name(fmt.Sprint("sink", i))))
		}
		sent := make([]int, len(all))
		for round := range 100 {
			w.pass(time.Duration(round%13) * time.Second)
			from, to := all[round%len(all)], (round*7+1)%len(all)
			for range 3 {
				if err := from.sys.Send(pids[to], Add{round}); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				sent[to]++
			}
		}
		w.pass(10 * time.Second)
		for i := range all {
			if got[i] != sent[i] {
				t.Errorf("%d of %d came to %d", got[i], sent[i], i)
			}
		}
	})
}
