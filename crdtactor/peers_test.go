package crdtactor_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// ring starts a counter on each of n nodes, whose peers are the nodes before and
// after it and one across.
func ring(t *testing.T, n int) *world {
	w := newWorld(t, n)
	for i := range n {
		_, err := w.sys(i).Spawn(t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
			Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: w.members,
			Peers: func() []actor.NodeID {
				return []actor.NodeID{w.nodes[(i+1)%n], w.nodes[(i+n-1)%n], w.nodes[(i+n/2)%n]}
			},
		}), visits)
		if err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	return w
}

func TestChangesArePassedOnThroughPeersAndSentToNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		w := ring(t, n)
		deltas := make(map[string]map[string]int)
		w.setDrop(func(from, to string, msg any) bool {
			if _, ok := msg.(replica.Delta); ok {
				if deltas[from] == nil {
					deltas[from] = make(map[string]int)
				}
				deltas[from][to]++
			}
			return false
		})
		w.mustAdd(0, 7)
		synctest.Wait() // no time passes
		total := 0
		for i := range n {
			if got := w.value(i); got != 7 {
				t.Errorf("node %d has %d, want 7", i, got)
			}
			if to := len(deltas[w.nodes[i].Name]); to > 3 {
				t.Errorf("node %d sent deltas to %d nodes", i, to)
			}
			for _, times := range deltas[w.nodes[i].Name] {
				total += times
			}
		}
		if total > 4*n {
			t.Errorf("one change made %d deltas among %d nodes", total, n)
		}
	})
}

func TestCopiesReachBeyondThePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 12
		w := ring(t, n)
		began := time.Now()
		w.mustAdd(0, 1, crdtactor.Copies(n))
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		for i := range n {
			if got := w.value(i); got != 1 {
				t.Errorf("node %d has %d, want 1", i, got)
			}
		}
	})
}

func TestWriteThatIsTriedAgainIsOnlyDoneWhenItsFirstTryIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		const set = actor.Name("set")
		for i := range 2 {
			if _, err := w.sys(i).Spawn(t.Context(), crdtactor.New(crdtactor.Config[*crdt.GSet]{
				Name: set, New: func() *crdt.GSet { return new(crdt.GSet) }, Members: w.members,
			}), set); err != nil {
				t.Fatal(err)
			}
		}
		add := func() error {
			return crdtactor.Update(t.Context(), w.sys(0), set, func(s *crdt.GSet, _ crdt.ReplicaID) *crdt.GSet {
				return s.Add("x")
			}, crdtactor.Copies(2))
		}
		w.setDrop(func(from, _ string, _ any) bool { return from == w.nodes[0].Name })
		if err := add(); err == nil {
			t.Error("done although nobody else has it")
		}
		if err := add(); err == nil {
			t.Error("the second try, which changes nothing, is done although nobody else has it")
		}
		w.setDrop(nil)
		if err := add(); err != nil {
			t.Error(err)
		}
	})
}

// earlier says whether node i's counter has a share of an earlier replica of any
// node.
func (w *world) earlier(i int) (some bool) {
	w.t.Helper()
	c, err := crdtactor.Get[*crdt.PNCounter](w.t.Context(), w.sys(i), visits)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range w.nodes {
		if id := c.Digest().Latest(n.Name); id != "" && c.Foldable(id) {
			some = true
		}
	}
	return some
}

func TestCounterGrowsWithNodesAndNotWithRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
		}
		want := int64(0)
		for life := range 10 {
			for i := range 3 {
				w.mustAdd(i, 1, crdtactor.Copies(3))
				want++
			}
			time.Sleep(3 * time.Second)
			w.crash(life % 3)
			w.boot(life % 3)
			w.counter(life%3, crdtactor.Eager())
		}
		time.Sleep(5 * time.Second)
		for i := range 3 {
			c, err := crdtactor.Get[*crdt.PNCounter](t.Context(), w.sys(i), visits)
			if err != nil {
				t.Fatal(err)
			}
			if data, _ := c.MarshalBinary(); c.Value() != want || len(data) > 140 {
				t.Errorf("node %d has %d, want %d, in %d bytes", i, c.Value(), want, len(data))
			}
		}
	})
}

func TestNothingIsFoldedBeforeEveryKnownNodeIsHeardOutOrForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
			synctest.Wait()
		}
		w.mustAdd(0, 5, crdtactor.Copies(3))
		time.Sleep(2 * time.Second) // all know all
		w.crash(2)
		w.crash(0)
		w.boot(0)
		w.counter(0, crdtactor.Eager())
		w.mustAdd(0, 1)
		time.Sleep(10 * time.Second)
		if some := w.earlier(1); !some {
			t.Fatal("the first replica's share is gone, though node 2 has not been heard out")
		}
		if err := crdtactor.Forget(t.Context(), w.sys(1), visits, w.nodes[0].Name); err == nil {
			t.Error("a member was forgotten")
		}
		if err := crdtactor.Forget(t.Context(), w.sys(1), visits, "stranger@h:1"); err == nil {
			t.Error("a node that nobody knows was forgotten")
		}
		if err := crdtactor.Forget(t.Context(), w.sys(1), visits, w.nodes[2].Name); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for i := range 2 {
			if some := w.earlier(i); some || w.value(i) != 6 {
				t.Errorf("node %d has %d and an earlier share: %v", i, w.value(i), some)
			}
		}
	})
}

func TestNodeThatReturnsFromAPartitionFoldsInsteadOfCountingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4)
		for i := range 4 {
			w.counter(i, crdtactor.Eager())
		}
		w.mustAdd(0, 5, crdtactor.Copies(4))
		time.Sleep(2 * time.Second)
		apart := func(from, to string, _ any) bool { return (from == w.nodes[3].Name) != (to == w.nodes[3].Name) }
		w.setDrop(apart)
		w.mustAdd(0, 3, crdtactor.Copies(3)) // node 3 does not hear of it
		for range 3 {
			w.crash(0)
			w.boot(0)
			w.counter(0, crdtactor.Eager())
			time.Sleep(2 * time.Second)
			w.mustAdd(0, 1, crdtactor.Copies(3))
		}
		time.Sleep(2 * time.Second)
		w.setDrop(nil)
		time.Sleep(10 * time.Second)
		for i := range 4 {
			if some := w.earlier(i); some || w.value(i) != 11 {
				t.Errorf("node %d has %d, want 11; earlier shares: %v", i, w.value(i), some)
			}
		}
	})
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("cart %05d", i))
	}
	return list
}
