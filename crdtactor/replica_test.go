package crdtactor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// world is some systems joined by a network that loses what the test says.
type world struct {
	t  testing.TB
	mu sync.Mutex
	// systems by node name; a missing one is down.
	systems map[string]*actor.System
	nodes   []actor.NodeID
	drop    func(from, to string, msg any) bool
}

// wire is one system's router.
type wire struct {
	w    *world
	from string
}

func (r wire) Route(sig actor.Signal) error {
	to := sig.Name.Node
	if !sig.To.IsZero() {
		to = sig.To.Node().Name
	}
	r.w.mu.Lock()
	sys := r.w.systems[to]
	lost := r.w.drop != nil && r.w.drop(r.from, to, sig.Msg)
	r.w.mu.Unlock()
	if sys == nil {
		return actor.ErrNoConnection
	}
	if !lost {
		sys.Deliver(sig)
	}
	return nil
}

func newWorld(t testing.TB, n int) *world {
	w := &world{t: t, systems: make(map[string]*actor.System)}
	for i := range n {
		w.nodes = append(w.nodes, actor.NodeID{Name: fmt.Sprintf("node-%02d@10.42.0.%d:9000", i, i)})
	}
	for i := range n {
		w.boot(i)
	}
	return w
}

func (w *world) boot(i int) {
	sys, err := actor.NewSystem(actor.Config{Node: w.nodes[i], Router: wire{w, w.nodes[i].Name}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.systems[w.nodes[i].Name] = sys
	w.mu.Unlock()
	w.t.Cleanup(func() { sys.Close(context.Background()) })
}

func (w *world) crash(i int) {
	w.mu.Lock()
	sys := w.systems[w.nodes[i].Name]
	delete(w.systems, w.nodes[i].Name)
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	sys.Close(ctx)
}

// members are the nodes that are up.
func (w *world) members() []actor.NodeID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var up []actor.NodeID
	for _, n := range w.nodes {
		if w.systems[n.Name] != nil {
			up = append(up, n)
		}
	}
	return up
}

func (w *world) sys(i int) *actor.System {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.systems[w.nodes[i].Name]
}

func (w *world) setDrop(drop func(from, to string, msg any) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop = drop
}

const visits = actor.Name("visits")

func (w *world) counter(i int, strategy crdtactor.Strategy) actor.PID {
	w.t.Helper()
	pid, err := w.sys(i).Spawn(w.t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name:     visits,
		New:      func() *crdt.PNCounter { return new(crdt.PNCounter) },
		Members:  w.members,
		Strategy: strategy,
	}), visits)
	if err != nil {
		w.t.Fatal(err)
	}
	return pid
}

func (w *world) add(i int, n int64, opts ...crdtactor.UpdateOption) error {
	return crdtactor.Update(w.t.Context(), w.sys(i), visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
		return c.Add(me, n)
	}, opts...)
}

func (w *world) value(i int) int64 {
	w.t.Helper()
	c, err := crdtactor.Get[*crdt.PNCounter](w.t.Context(), w.sys(i), visits)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Value()
}

func (w *world) mustAdd(i int, n int64, opts ...crdtactor.UpdateOption) {
	w.t.Helper()
	if err := w.add(i, n, opts...); err != nil {
		w.t.Fatal(err)
	}
}

func TestEagerUpdatesAreEverywhereAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
		}
		for i := range 3 {
			w.mustAdd(i, int64(i+1))
		}
		synctest.Wait()
		for i := range 3 {
			if got := w.value(i); got != 6 {
				t.Errorf("node %d has %d, want 6", i, got)
			}
		}
	})
}

func TestUpdateWithoutADeltaIsSentAsTheReplicasShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		accumulate := func(opts ...crdtactor.UpdateOption) {
			t.Helper()
			if err := crdtactor.Update(t.Context(), w.sys(0), visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
				c.Accumulate(me, 3)
				return nil
			}, opts...); err != nil {
				t.Fatal(err)
			}
		}
		all := w.nodes
		w.nodes = all[:1]
		w.counter(0, crdtactor.Eager())
		accumulate() // alone
		w.nodes = all
		w.counter(1, crdtactor.Eager())
		accumulate(crdtactor.Copies(2))
		if got := w.value(1); got != 6 {
			t.Errorf("the other has %d, want 6", got)
		}
	})
}

func TestPeriodicUpdatesWaitForTheirPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Periodic(100*time.Millisecond))
		w.counter(1, crdtactor.Periodic(100*time.Millisecond))
		synctest.Wait()
		w.mustAdd(0, 5)
		time.Sleep(50 * time.Millisecond)
		if got := w.value(1); got != 0 {
			t.Errorf("after half a period the other has %d, want 0", got)
		}
		time.Sleep(60 * time.Millisecond)
		if got := w.value(1); got != 5 {
			t.Errorf("after a period the other has %d, want 5", got)
		}
	})
}

func TestLazyReadsFetchWhatTheOthersHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Lazy())
		}
		synctest.Wait()
		w.mustAdd(0, 1)
		w.mustAdd(1, 2)
		began := time.Now()
		if got := w.value(2); got != 3 {
			t.Errorf("a lazy read gives %d, want 3", got)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the read waited %v though all answered", took)
		}
	})
}

func TestLazyReadsDoNotWaitForALostNodeForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Lazy())
		w.mustAdd(0, 1) // node 1 has no replica at all
		began := time.Now()
		if got := w.value(0); got != 1 {
			t.Errorf("value = %d", got)
		}
		if took := time.Since(began); took != crdtactor.DefaultSyncWait {
			t.Errorf("the read took %v, want %v", took, crdtactor.DefaultSyncWait)
		}
	})
}

func TestCopiesAreHeldWhenUpdateReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Periodic(time.Hour))
		}
		synctest.Wait()
		for n := 1; n <= 3; n++ {
			w.mustAdd(0, 1, crdtactor.Copies(n))
			holders := 0
			for i := range 3 {
				if w.value(i) == int64(n) {
					holders++
				}
			}
			if holders < n {
				t.Errorf("Copies(%d) returned with %d holders", n, holders)
			}
		}
	})
}

func TestCopiesThatCannotBeMadeFailWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Eager())
		w.counter(1, crdtactor.Eager())
		w.setDrop(func(from, _ string, _ any) bool { return from == w.nodes[0].Name })
		if err := w.add(0, 1, crdtactor.Copies(2)); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("Update = %v, want ErrTimeout", err)
		}
		if err := w.add(0, 1, crdtactor.Copies(0)); !errors.Is(err, crdtactor.ErrNoCopies) {
			t.Errorf("Update with Copies(0) = %v", err)
		}
	})
}

func TestALostAcknowledgementIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Eager())
		w.counter(1, crdtactor.Eager())
		synctest.Wait()
		lost := false
		w.setDrop(func(_, _ string, msg any) bool {
			_, ack := msg.(replica.Ack)
			first := ack && !lost
			lost = lost || ack
			return first
		})
		w.mustAdd(0, 1, crdtactor.Copies(2))
		if !lost {
			t.Error("no acknowledgement was lost: the test proves nothing")
		}
		if got := w.value(1); got != 1 {
			t.Errorf("sent twice, counted %d times", got)
		}
	})
}

func TestARestartedReplicaGetsTheStateBackAndCountsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
		}
		w.mustAdd(0, 10, crdtactor.Copies(3))
		w.crash(0)
		w.mustAdd(1, 1)
		w.boot(0)
		w.counter(0, crdtactor.Eager())
		w.mustAdd(0, 100)
		time.Sleep(5 * time.Second)
		for i := range 3 {
			if got := w.value(i); got != 111 {
				t.Errorf("node %d has %d, want 111", i, got)
			}
		}
	})
}

func TestCopiesCountsNothingThatAFreshReplicaMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Eager())
		old := w.counter(1, crdtactor.Eager())
		w.mustAdd(0, 1, crdtactor.Copies(2))
		// The replica on node 1 is replaced, and its greeting is lost: the
		// other still believes it has the first change.
		w.setDrop(func(_, _ string, msg any) bool { root, _ := msg.(replica.Root); return root.Ask })
		w.sys(1).Kill(old)
		synctest.Wait()
		w.counter(1, crdtactor.Eager())
		w.mustAdd(0, 1, crdtactor.Copies(2))
		w.crash(0)
		if got := w.value(1); got != 2 {
			t.Errorf("the survivor has %d, want 2: a copy was counted that was not there", got)
		}
	})
}

func TestWhatReachedOneSurvivorReachesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 3 {
			w.counter(i, crdtactor.Eager())
		}
		synctest.Wait()
		w.setDrop(func(from, to string, _ any) bool { return from == w.nodes[0].Name && to == w.nodes[2].Name })
		w.mustAdd(0, 7, crdtactor.Copies(2))
		w.crash(0)
		time.Sleep(3 * crdtactor.DefaultAntiEntropy)
		if got := w.value(2); got != 7 {
			t.Errorf("node 2 has %d, want 7: only node 1 had it when node 0 was lost", got)
		}
	})
}

func TestReplicasConvergeUnderLoss(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t, 4)
			var sum int64
			for i := range 4 {
				w.counter(i, crdtactor.Eager())
			}
			losses := rand.New(rand.NewPCG(seed, 1)) // used under the world's lock
			w.setDrop(func(string, string, any) bool { return losses.IntN(2) == 0 })
			for range 50 {
				n := random.Int64N(9) - 4
				sum += n
				w.mustAdd(random.IntN(4), n)
				time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
			}
			w.setDrop(nil)
			time.Sleep(5 * time.Second)
			for i := range 4 {
				if got := w.value(i); got != sum {
					t.Errorf("seed %d: node %d has %d, want %d", seed, i, got, sum)
				}
			}
		})
	}
}

func TestConfigMistakesAreReportedAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	_, err := w.sys(0).Spawn(t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{Strategy: crdtactor.Periodic(0)}))
	for _, want := range []string{"Name", "New", "Members", "Strategy"} {
		if err == nil || !containsField(err, want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

func containsField(err error, field string) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return false
	}
	for _, e := range joined.Unwrap() {
		var name string
		if _, serr := fmt.Sscanf(e.Error(), "crdtactor: Config.%s", &name); serr == nil && len(name) >= len(field) && name[:len(field)] == field {
			return true
		}
	}
	return false
}

func TestAReplicaLetsGoOfWhatTheStateKeepsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		const cart = actor.Name("cart")
		var pids []actor.PID
		for i := range 2 {
			pid, err := w.sys(i).Spawn(t.Context(), crdtactor.New(crdtactor.Config[*crdt.Cart]{
				Name: cart, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: w.members,
			}), cart)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		update := func(i int, f func(*crdt.Cart, crdt.ReplicaID) *crdt.Cart) {
			t.Helper()
			if err := crdtactor.Update(t.Context(), w.sys(i), cart, f, crdtactor.Copies(2)); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 100 {
			item := fmt.Sprint("item ", n)
			update(0, func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart { return c.Add(me, item, 1) })
			update(1, func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart { return c.Remove(me, item) })
		}
		time.Sleep(5 * crdtactor.DefaultAntiEntropy)
		for i, pid := range pids {
			c, err := crdtactor.Get[*crdt.Cart](t.Context(), w.sys(i), pid)
			if err != nil {
				t.Fatal(err)
			}
			data, _ := c.MarshalBinary()
			if len(data) > 200 {
				t.Errorf("the empty cart on node %d takes %d bytes", i, len(data))
			}
		}
	})
}

func TestReplicaOfWhichALaterOneIsKnownEndsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		pid := w.counter(0, crdtactor.Eager())
		w.counter(1, crdtactor.Eager())
		synctest.Wait()
		future := crdt.Incarnation(w.nodes[0].Name, uint64(time.Now().Add(time.Hour).UnixNano()))
		w.sys(1).Send(visits, replica.Root{Node: w.nodes[0].Name, ID: string(future)})
		synctest.Wait()
		reason := make(chan error, 1)
		w.sys(0).Observe(func(e actor.Event) {
			if end, ok := e.(actor.ProcessExited); ok && end.PID == pid {
				reason <- end.Reason
			}
		})
		if err := w.add(0, 1, crdtactor.Copies(2)); !errors.Is(err, crdtactor.ErrOutdated) {
			t.Errorf("Update = %v, want ErrOutdated", err)
		}
		if err := <-reason; !errors.Is(err, crdtactor.ErrOutdated) {
			t.Errorf("the replica ended with %v", err)
		}
	})
}
