package supervisor_test

import (
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestChildAdm(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := permanent("child1")
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{child}})
		pid := f.child(sup, "child1").PID
		f.wantCounts(sup, 1, 1, 0, 1)
		running, err := supervisor.StartChild(f.ctx, f.sys, sup, child)
		if running != pid {
			t.Errorf("StartChild of a running child returns %v, want %v", running, pid)
		}
		f.wantError("StartChild of a running child", err, supervisor.ErrAlreadyStarted)

		f.wantError("TerminateChild", supervisor.TerminateChild(f.ctx, f.sys, sup, "other"), supervisor.ErrNotFound)
		w := f.watch("child1", pid)
		f.terminateChild(sup, "child1")
		f.wantEnd(w, actor.ErrShutdown)
		f.wantChildren(sup, "child1 stopped")
		f.wantCounts(sup, 1, 0, 0, 1)
		f.terminateChild(sup, "child1") // again: that is no error
		_, err = supervisor.StartChild(f.ctx, f.sys, sup, child)
		f.wantError("StartChild of a stopped child", err, supervisor.ErrAlreadyPresent)

		again := f.restartChild(sup, "child1")
		if got := f.child(sup, "child1"); got.PID != again || again == pid {
			t.Errorf("restarted as %v, then %v; before %v", again, got.PID, pid)
		}
		f.wantCounts(sup, 1, 1, 0, 1)
		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child1")
		f.wantError("RestartChild of a running child", err, supervisor.ErrRunning)
		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child2")
		f.wantError("RestartChild of an unknown child", err, supervisor.ErrNotFound)

		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, sup, "child1"), supervisor.ErrRunning)
		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, sup, "other"), supervisor.ErrNotFound)
		f.terminateChild(sup, "child1")
		if err := supervisor.DeleteChild(f.ctx, f.sys, sup, "child1"); err != nil {
			t.Errorf("DeleteChild: %v", err)
		}
		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child1")
		f.wantError("RestartChild of a deleted child", err, supervisor.ErrNotFound)
		f.wantChildren(sup)
		f.wantCounts(sup, 0, 0, 0, 0)

		pid = f.startChild(sup, child)
		f.wantCounts(sup, 1, 1, 0, 1)
		f.wantError("TerminateInstance", supervisor.TerminateInstance(f.ctx, f.sys, sup, pid), supervisor.ErrNotSimpleOneForOne)
		_, err = supervisor.StartInstance(f.ctx, f.sys, sup)
		f.wantError("StartInstance", err, supervisor.ErrNotSimpleOneForOne)
		f.wantCounts(sup, 1, 1, 0, 1)
	})
}

func TestRequestsToNobodyFail(t *testing.T) {
	bubble(t, func(f *fixture) {
		nobody := actor.Name("foo")
		_, err := supervisor.StartChild(f.ctx, f.sys, nobody, permanent("child1"))
		f.wantError("StartChild", err, actor.ErrNoProc)
		_, err = supervisor.StartInstance(f.ctx, f.sys, nobody)
		f.wantError("StartInstance", err, actor.ErrNoProc)
		_, err = supervisor.RestartChild(f.ctx, f.sys, nobody, "child1")
		f.wantError("RestartChild", err, actor.ErrNoProc)
		f.wantError("TerminateChild", supervisor.TerminateChild(f.ctx, f.sys, nobody, "child1"), actor.ErrNoProc)
		f.wantError("TerminateInstance", supervisor.TerminateInstance(f.ctx, f.sys, nobody, actor.PID{}), actor.ErrNoProc)
		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, nobody, "child1"), actor.ErrNoProc)
		f.wantError("UpdateSpec", supervisor.UpdateSpec(f.ctx, f.sys, nobody, supervisor.Spec{}), actor.ErrNoProc)
		_, err = supervisor.WhichChildren(f.ctx, f.sys, nobody)
		f.wantError("WhichChildren", err, actor.ErrNoProc)
		_, err = supervisor.CountChildren(f.ctx, f.sys, nobody)
		f.wantError("CountChildren", err, actor.ErrNoProc)
	})
}

func TestChildAdmSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(permanent("child")))
		f.wantChildren(sup)
		f.wantCounts(sup, 1, 0, 0, 0)
		pid1 := f.startInstance(sup)
		f.wantCounts(sup, 1, 1, 0, 1)
		pid2 := f.startInstance(sup)
		if got := f.which(sup); len(got) != 2 || got[0].PID != pid1 || got[1].PID != pid2 {
			t.Errorf("instances are %+v, want %v and %v", got, pid1, pid2)
		}
		f.wantCounts(sup, 1, 2, 0, 2)

		f.wantError("TerminateChild", supervisor.TerminateChild(f.ctx, f.sys, sup, "child"), supervisor.ErrSimpleOneForOne)
		f.wantCounts(sup, 1, 2, 0, 2)
		for range 2 { // the second time it is gone, which is no error
			if err := supervisor.TerminateInstance(f.ctx, f.sys, sup, pid1); err != nil {
				t.Errorf("TerminateInstance: %v", err)
			}
			f.wantCounts(sup, 1, 1, 0, 1)
		}
		if f.sys.Alive(pid1) {
			t.Error("the terminated instance is alive")
		}
		stranger, err := f.sys.Spawn(f.ctx, new(worker))
		if err != nil {
			t.Fatal(err)
		}
		f.wantError("TerminateInstance of a stranger", supervisor.TerminateInstance(f.ctx, f.sys, sup, stranger), supervisor.ErrNotFound)
		f.wantAlive("the stranger", stranger)

		_, err = supervisor.RestartChild(f.ctx, f.sys, sup, "child")
		f.wantError("RestartChild", err, supervisor.ErrSimpleOneForOne)
		f.wantError("DeleteChild", supervisor.DeleteChild(f.ctx, f.sys, sup, "child"), supervisor.ErrSimpleOneForOne)
		_, err = supervisor.StartChild(f.ctx, f.sys, sup, permanent("other"))
		f.wantError("StartChild", err, supervisor.ErrSimpleOneForOne)
	})
}

func TestWhichChildren(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		unknown := func() {
			t.Helper()
			_, err := supervisor.WhichChild(f.ctx, f.sys, sup, "childx")
			f.wantError("WhichChild", err, supervisor.ErrNotFound)
		}
		f.wantChildren(sup)
		unknown()
		child1 := f.startChild(sup, permanent("child1"))
		child2 := f.startChild(sup, permanent("child2"))
		f.wantChildren(sup, "child1 running", "child2 running")
		if a, b := f.child(sup, "child1"), f.child(sup, "child2"); a.PID != child1 || b.PID != child2 {
			t.Errorf("WhichChild says %+v and %+v, want PIDs %v and %v", a, b, child1, child2)
		}
		unknown()
		f.terminateChild(sup, "child1")
		f.wantChildren(sup, "child1 stopped", "child2 running")
		if got := f.child(sup, "child1"); got.Status != supervisor.Stopped || !got.PID.IsZero() {
			t.Errorf("WhichChild of a stopped child says %+v", got)
		}
		if err := supervisor.DeleteChild(f.ctx, f.sys, sup, "child1"); err != nil {
			t.Fatal(err)
		}
		f.wantChildren(sup, "child2 running")
		_, err := supervisor.WhichChild(f.ctx, f.sys, sup, "child1")
		f.wantError("WhichChild of a deleted child", err, supervisor.ErrNotFound)
		unknown()
	})
}

func TestWhichChildrenSimpleOneForOne(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(temporary("child")))
		stranger := f.supervise(supervisor.Spec{})
		instance := func(pid actor.PID) error {
			got, err := supervisor.WhichInstance(f.ctx, f.sys, sup, pid)
			want := supervisor.ChildInfo{ID: "child", PID: pid, Status: supervisor.Running}
			if err == nil && got != want {
				t.Errorf("WhichInstance = %+v, want %+v", got, want)
			}
			return err
		}
		child1, child2 := f.startInstance(sup), f.startInstance(sup)
		f.wantChildren(sup, "child running", "child running")
		f.wantError("WhichInstance", instance(child1), nil)
		f.wantError("WhichInstance", instance(child2), nil)
		f.wantError("WhichInstance of a stranger", instance(stranger), supervisor.ErrNotFound)
		if err := supervisor.TerminateInstance(f.ctx, f.sys, sup, child1); err != nil {
			t.Fatal(err)
		}
		f.wantChildren(sup, "child running")
		f.wantError("WhichInstance of a terminated one", instance(child1), supervisor.ErrNotFound)
		f.wantError("WhichInstance", instance(child2), nil)
		_, err := supervisor.WhichChild(f.ctx, f.sys, sup, "child")
		f.wantError("WhichChild", err, supervisor.ErrSimpleOneForOne)
		_, err = supervisor.WhichInstance(f.ctx, f.sys, stranger, child2)
		f.wantError("WhichInstance", err, supervisor.ErrNotSimpleOneForOne)
	})
}
