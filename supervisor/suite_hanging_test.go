package supervisor_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// deadlock is a child that starts at once as long as it is allowed to, and
// otherwise takes two seconds to fail.
type deadlock struct{ failing atomic.Bool }

func (d *deadlock) start(parent *actor.Self, _ ...any) (actor.PID, error) {
	if d.failing.Load() {
		<-time.After(2 * time.Second)
		return refusing(parent)
	}
	return start(parent)
}

// child returns a deadlock's specification.
func (d *deadlock) child(id string) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: d.start, Shutdown: supervisor.BrutalKill}
}

// hang brings the child pid into the restart loop. It runs in a bubble.
func (f *fixture) hang(d *deadlock, pid actor.PID) {
	f.Helper()
	d.failing.Store(true)
	f.end(pid, errAbnormal)
	time.Sleep(2001 * time.Millisecond)
}

// eight tolerates the restarts that fit into two seconds each.
func eight(strategy supervisor.Strategy) supervisor.Spec {
	return supervisor.Spec{Strategy: strategy, Intensity: supervisor.AtMost(8), Period: 10 * time.Second}
}

// TestHangingRestartLoop checks that child and supervisor can be stopped while
// every restart fails.
func TestHangingRestartLoop(t *testing.T) {
	bubble(t, func(f *fixture) {
		d := new(deadlock)
		sup := f.supervise(eight(supervisor.OneForOne), actor.Name("sup_test"))
		pid := f.startChild(sup, d.child("child1"))
		w := f.watch("child1", pid)
		f.hang(d, pid)

		_, err := supervisor.StartChild(f.ctx, f.sys, sup, d.child("child1"))
		f.wantError("StartChild", err, supervisor.ErrAlreadyPresent)
		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child1")
		f.wantError("RestartChild", err, supervisor.ErrRestarting)
		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, sup, "child1"), supervisor.ErrRestarting)
		f.wantChildren(sup, "child1 restarting")
		f.wantCounts(sup, 1, 0, 0, 1)
		f.terminateChild(sup, "child1")
		f.wantEnd(w, errAbnormal)
		f.wantChildren(sup, "child1 stopped")

		d.failing.Store(false)
		f.hang(d, f.restartChild(sup, "child1"))
		began := time.Now()
		f.stop(sup)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("stopping a supervisor in a restart loop took %v", took)
		}
		if pid, ok := f.sys.Whereis("sup_test"); ok {
			t.Errorf("sup_test is still %v", pid)
		}
	})
}

func TestHangingRestartLoopRestForOne(t *testing.T) {
	bubble(t, func(f *fixture) {
		d := new(deadlock)
		sup := f.supervise(eight(supervisor.RestForOne))
		child1 := f.startChild(sup, permanent("child1"))
		pid := f.startChild(sup, d.child("child2"))
		f.startChild(sup, permanent("child3"))
		f.hang(d, pid)

		_, err := supervisor.StartChild(f.ctx, f.sys, sup, d.child("child2"))
		f.wantError("StartChild", err, supervisor.ErrAlreadyPresent)
		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child2")
		f.wantError("RestartChild", err, supervisor.ErrRestarting)
		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, sup, "child2"), supervisor.ErrRestarting)
		f.wantChildren(sup, "child1 running", "child2 restarting", "child3 stopped")
		f.wantCounts(sup, 3, 1, 0, 3)
		f.terminateChild(sup, "child2")
		f.wantChildren(sup, "child1 running", "child2 stopped", "child3 stopped")
		if got := f.child(sup, "child1").PID; got != child1 {
			t.Errorf("child1 is %v; it should still be %v", got, child1)
		}

		d.failing.Store(false)
		f.hang(d, f.restartChild(sup, "child2"))
		f.stop(sup)
	})
}

func TestHangingRestartLoopSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		d := new(deadlock)
		spec := eight(supervisor.SimpleOneForOne)
		spec.Children = []supervisor.ChildSpec{d.child("child1")}
		sup := f.supervise(spec)
		pid := f.startInstance(sup)
		f.hang(d, pid)

		f.wantChildren(sup, "child1 restarting")
		f.wantCounts(sup, 1, 0, 0, 1)
		if err := supervisor.TerminateInstance(f.ctx, f.sys, sup, pid); err != nil {
			t.Errorf("TerminateInstance: %v", err)
		}
		f.wantChildren(sup)

		d.failing.Store(false)
		f.hang(d, f.startInstance(sup))
		f.stop(sup)
	})
}

// TestCountRestartingChildren counts instances of which some are in the restart
// loop, leave it again, and are terminated one after the other.
func TestCountRestartingChildren(t *testing.T) {
	bubble(t, func(f *fixture) {
		d := new(deadlock)
		spec := eight(supervisor.SimpleOneForOne)
		spec.Intensity = supervisor.AtMost(20)
		spec.Children = []supervisor.ChildSpec{d.child("child")}
		sup := f.supervise(spec)
		for n := range 3 {
			f.wantCounts(sup, 1, n, 0, n)
			f.startInstance(sup)
		}
		for _, c := range f.which(sup) {
			f.end(c.PID, errAbnormal)
		}
		f.wantCounts(sup, 1, 3, 0, 3)
		list := f.which(sup)

		d.failing.Store(true)
		f.end(list[0].PID, errAbnormal)
		f.end(list[1].PID, errAbnormal)
		time.Sleep(4 * time.Second)
		f.wantCounts(sup, 1, 1, 0, 3)
		d.failing.Store(false)
		time.Sleep(4 * time.Second)
		f.wantCounts(sup, 1, 3, 0, 3)

		for n, c := range f.which(sup) {
			if err := supervisor.TerminateInstance(f.ctx, f.sys, sup, c.PID); err != nil {
				t.Errorf("TerminateInstance: %v", err)
			}
			f.wantCounts(sup, 1, 2-n, 0, 2-n)
		}
	})
}
