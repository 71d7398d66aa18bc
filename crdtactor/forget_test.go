package crdtactor_test

import (
	"errors"
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
		forgotten := replica.Member{Node: w.nodes[0].Name, Version: 2, Lost: uint64(time.Now().UnixNano())}
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
