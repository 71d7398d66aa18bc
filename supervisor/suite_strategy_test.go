package supervisor_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// pids returns the children's PIDs by ID.
func (f *fixture) pids(sup actor.PID) map[string]actor.PID {
	f.Helper()
	pids := make(map[string]actor.PID)
	for _, c := range f.which(sup) {
		pids[c.ID] = c.PID
	}
	return pids
}

// wantReplaced checks which children have another process than before.
func (f *fixture) wantReplaced(sup actor.PID, before map[string]actor.PID, want map[string]bool) {
	f.Helper()
	for id, pid := range f.pids(sup) {
		if (pid != before[id]) != want[id] {
			f.Errorf("child %q was %v and is %v; replaced should be %v", id, before[id], pid, want[id])
		}
	}
}

// strategies runs a test of three permanent children, of which the middle one
// ends: who is replaced, and that the third restart is too much.
func wantStrategy(t *testing.T, strategy supervisor.Strategy, replaced map[string]bool) {
	t.Helper()
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Strategy: strategy, Intensity: supervisor.AtMost(2), Period: time.Hour})
		watches := make(map[string]*watch)
		for _, id := range []string{"child1", "child2", "child3"} {
			watches[id] = f.watch(id, f.startChild(sup, permanent(id)))
		}
		before := f.pids(sup)
		f.end(before["child2"], errAbnormal)
		f.wantReplaced(sup, before, replaced)
		f.wantChildren(sup, "child1 running", "child2 running", "child3 running")
		f.wantCounts(sup, 3, 3, 0, 3)
		for id := range replaced {
			if id != "child2" {
				f.wantEnd(watches[id], actor.ErrShutdown)
			}
		}
		f.end(f.pids(sup)["child3"], errAbnormal)
		w := f.watch("supervisor", sup)
		f.end(f.pids(sup)["child2"], errAbnormal)
		f.wantEnd(w, actor.ErrShutdown)
	})
}

func TestOneForOne(t *testing.T) {
	wantStrategy(t, supervisor.OneForOne, map[string]bool{"child2": true})
}

func TestOneForAll(t *testing.T) {
	wantStrategy(t, supervisor.OneForAll, map[string]bool{"child1": true, "child2": true, "child3": true})
}

func TestRestForOne(t *testing.T) {
	wantStrategy(t, supervisor.RestForOne, map[string]bool{"child2": true, "child3": true})
}

// startsOnce is the start function of a worker that cannot be started a second
// time.
func startsOnce() actor.StartFunc {
	started := false
	return func(parent *actor.Self, args ...any) (actor.PID, error) {
		if started {
			return refusing(parent)
		}
		started = true
		return start(parent)
	}
}

// wantEscalation lets child1 end where the child called stuck cannot be started
// again, and checks that the supervisor gives up and takes its children along.
func wantEscalation(t *testing.T, strategy supervisor.Strategy, stuck string) {
	t.Helper()
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Strategy: strategy, Intensity: supervisor.AtMost(4), Period: time.Hour})
		pids := make(map[string]actor.PID)
		for _, id := range []string{"child1", "child2"} {
			child := permanent(id)
			if id == stuck {
				child.Start = startsOnce()
			}
			pids[id] = f.startChild(sup, child)
		}
		w, w2 := f.watch("supervisor", sup), f.watch("child2", pids["child2"])
		f.end(pids["child1"], errAbnormal)
		f.wantEnd(w, supervisor.ErrIntensity)
		f.wantEnd(w2, actor.ErrShutdown)
	})
}

func TestOneForOneEscalation(t *testing.T) {
	wantEscalation(t, supervisor.OneForOne, "child1")
}

func TestOneForAllEscalation(t *testing.T) {
	wantEscalation(t, supervisor.OneForAll, "child2")
}

func TestRestForOneEscalation(t *testing.T) {
	wantEscalation(t, supervisor.RestForOne, "child2")
}

// gate is a child whose start asks the test whether it may succeed.
type gate struct {
	asks    chan actor.PID // who wants to start
	answers chan error
}

func newGate() *gate { return &gate{make(chan actor.PID), make(chan error)} }

func (g *gate) start(parent *actor.Self, _ ...any) (actor.PID, error) {
	return parent.SpawnLink(&worker{init: func(self *actor.Self) error {
		g.asks <- self.PID()
		return <-g.answers
	}})
}

// let waits for a start and answers it.
func (g *gate) let(err error) actor.PID {
	pid := <-g.asks
	g.answers <- err
	return pid
}

// otherChildFailsRestart sets the stage for the two tests below: child1 has
// ended and been started again, child2 is about to be.
func otherChildFailsRestart(f *fixture, strategy supervisor.Strategy) (g1, g2 *gate, sup func() actor.PID, second actor.PID) {
	g1, g2 = newGate(), newGate()
	started := make(chan actor.PID, 1)
	go func() {
		pid, err := supervisor.Spawn(f.ctx, f.sys, supervisor.Spec{
			Strategy:  strategy,
			Intensity: supervisor.AtMost(3),
			Children:  []supervisor.ChildSpec{{ID: "child1", Start: g1.start}, {ID: "child2", Start: g2.start}},
		})
		if err != nil {
			f.Error(err)
		}
		started <- pid
	}()
	first := g1.let(nil)
	g2.let(nil)
	pid := <-started
	if err := f.sys.Send(first, errAbnormal); err != nil {
		f.Fatal(err)
	}
	return g1, g2, func() actor.PID { return pid }, g1.let(nil)
}

// TestOneForAllOtherChildFailsRestart checks that a child that has been
// restarted is stopped again when another one fails to.
func TestOneForAllOtherChildFailsRestart(t *testing.T) {
	bubble(t, func(f *fixture) {
		g1, g2, sup, second := otherChildFailsRestart(f, supervisor.OneForAll)
		w := f.watch("child1", second)
		g2.let(errRefused)
		f.wantEnd(w, actor.ErrShutdown)
		g1.let(nil)
		g2.let(nil)
		f.wantChildren(sup(), "child1 running", "child2 running")
	})
}

// TestRestForOneOtherChildFailsRestart checks that a child that has been
// restarted stays when a later one fails to be.
func TestRestForOneOtherChildFailsRestart(t *testing.T) {
	bubble(t, func(f *fixture) {
		_, g2, sup, second := otherChildFailsRestart(f, supervisor.RestForOne)
		g2.let(errRefused)
		g2.let(nil)
		f.wantChildren(sup(), "child1 running", "child2 running")
		if got := f.child(sup(), "child1").PID; got != second {
			t.Errorf("child1 is %v; it should still be %v", got, second)
		}
	})
}

// TestOrderOfChildren checks that children start in the given order, which is
// not the alphabetical one, and stop in the reverse one.
func TestOrderOfChildren(t *testing.T) {
	bubble(t, func(f *fixture) {
		var log []string
		var children []supervisor.ChildSpec
		for _, id := range []string{"ch7", "ch3", "ch10", "ch2", "ch5"} {
			children = append(children, supervisor.ChildSpec{ID: id, Start: actor.Start(func() actor.Actor {
				return &worker{
					init:      func(*actor.Self) error { log = append(log, "+"+id); return nil },
					terminate: func(*actor.Self, error) { log = append(log, "-"+id) },
				}
			})})
		}
		want := func(want ...string) {
			t.Helper()
			f.idle()
			if len(log) != len(want) {
				t.Fatalf("order is %v, want %v", log, want)
			}
			for i := range log {
				if log[i] != want[i] {
					t.Fatalf("order is %v, want %v", log, want)
				}
			}
			log = nil
		}
		sup := f.supervise(supervisor.Spec{Strategy: supervisor.RestForOne, Children: children})
		want("+ch7", "+ch3", "+ch10", "+ch2", "+ch5")
		f.end(f.pids(sup)["ch10"], errAbnormal)
		want("-ch10", "-ch5", "-ch2", "+ch10", "+ch2", "+ch5")
		f.stop(sup)
		want("-ch5", "-ch2", "-ch10", "-ch3", "-ch7")
	})
}
