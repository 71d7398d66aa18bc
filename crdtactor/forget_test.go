package crdtactor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

func TestForgottenNodeLeavesItsCountsAndNoEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
		}
		w.mustAdd(2, 5, crdtactor.Copies(3))
		w.mustAdd(0, 1, crdtactor.Copies(3))
		time.Sleep(2 * time.Second) // all know all
		gone := w.nodes[2].Name
		w.crash(2)
		time.Sleep(2 * time.Second) // all see that it is gone
		if err := crdtactor.Forget(t.Context(), w.sys(1), visits, gone); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for i := range 2 {
			c, err := crdtactor.Get[*crdt.PNCounter](t.Context(), w.sys(i), visits)
			if err != nil {
				t.Fatal(err)
			}
			for lineage := range c.Lives() {
				if lineage == gone {
					t.Errorf("node %d still has an entry of the node that was forgotten", i)
				}
			}
			if c.Value() != 6 {
				t.Errorf("node %d shows %d", i, c.Value())
			}
		}
		w.boot(2)
		w.counter(2, crdtactor.Eager())
		w.mustAdd(2, 1)
		time.Sleep(10 * time.Second)
		for i := range 3 {
			if got := w.value(i); got != 7 {
				t.Errorf("when it has come back, node %d shows %d", i, got)
			}
		}
	})
}

func TestReplicaThatHearsThatItWasForgottenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		pid := w.counter(0, crdtactor.Eager())
		w.counter(1, crdtactor.Eager())
		w.mustAdd(0, 5, crdtactor.Copies(2))
		time.Sleep(time.Second)
		reason := make(chan error, 1)
		w.sys(0).Observe(func(e actor.Event) {
			if end, ok := e.(actor.ProcessExited); ok && end.PID == pid {
				reason <- end.Reason
			}
		})
		now := uint64(time.Now().UnixNano())
		forgotten := replica.Member{Node: w.nodes[0].Name, Version: 2, Next: now, Lost: now}
		w.sys(1).Send(visits, replica.Roster{Node: "c", ID: "c#1", Members: []replica.Member{forgotten}})
		if err := <-reason; !errors.Is(err, crdtactor.ErrOutdated) {
			t.Errorf("the replica ended with %v", err)
		}
		if err := crdtactor.Forget(t.Context(), w.sys(1), visits, "c"); err != nil {
			t.Fatal(err)
		}
		w.counter(0, crdtactor.Eager())
		w.mustAdd(0, 1)
		time.Sleep(10 * time.Second)
		for i := range 2 {
			if got := w.value(i); got != 6 {
				t.Errorf("node %d shows %d", i, got)
			}
		}
	})
}

// TestManyKeysAreSettledWithoutWaitingForTime has more keys than are settled in
// one step, and a clock that stands still.
func TestManyKeysAreSettledWithoutWaitingForTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys = 4 * replica.DefaultAtOnce
		cfg := crdtactor.Config[*crdt.PNCounter]{Name: "many", New: func() *crdt.PNCounter { return new(crdt.PNCounter) },
			Members: func() []actor.NodeID { return nil }}
		sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "n@h:1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer sys.Close(context.Background())
		store, err := crdtactor.NewStore(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := crdtactor.New(cfg)
		pid, err := sys.Spawn(t.Context(), r, cfg.Name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range keys {
			err := store.Update(t.Context(), sys, fmt.Sprint("key-", i), func(c *crdt.PNCounter, _ crdt.ReplicaID) *crdt.PNCounter {
				return c.Add(crdt.Incarnation("gone", 1), 5)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		gone := replica.Member{Node: "gone", Version: 2, Next: 2, Lost: 2, Settled: 2}
		if err := sys.Send(pid, replica.Roster{Node: "b", ID: "b#1", Members: []replica.Member{gone}}); err != nil {
			t.Fatal(err)
		}
		views, busy := 0, true
		for ; busy && views < 100; views++ {
			if err := crdtactor.View(t.Context(), sys, pid, func(*crdt.PNCounter) { busy = r.Busy() }); err != nil {
				t.Fatal(err)
			}
		}
		if busy || views < 2 || time.Since(began) > 0 {
			t.Errorf("after %d views and %v it is busy: %v", views, time.Since(began), busy)
		}
	})
}
