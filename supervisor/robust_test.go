package supervisor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// TestAChildThatEndsAtOnceIsJudgedByItsReason: a child may have ended before its
// supervisor could monitor it.
func TestAChildThatEndsAtOnceIsJudgedByItsReason(t *testing.T) {
	f := outside(t)
	sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(0)})
	child := startingWith("child", func(self *actor.Self) error { return self.Send(self.PID(), actor.ErrNormal) })
	child.Restart = supervisor.Transient
	if _, err := supervisor.StartChild(f.ctx, f.sys, sup, child); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		_, err := supervisor.RestartChild(f.ctx, f.sys, sup, "child")
		if err != nil && !errors.Is(err, supervisor.ErrRunning) {
			t.Fatalf("RestartChild: %v; a transient child that ends in order is no reason to give up", err)
		}
	}
}

func TestAStartThatForgetsTheLinkIsMadeGoodFor(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		pid := f.startChild(sup, supervisor.ChildSpec{ID: "child", Start: func(parent *actor.Self, _ ...any) (actor.PID, error) {
			return parent.Spawn(new(worker))
		}})
		w := f.watch("child", pid)
		f.kill(sup)
		f.wantEnd(w, actor.ErrKilled)
	})
}

// TestKillingASupervisorEndsItsWholeTree: what is below ends by its links, and
// supervisors there in order.
func TestKillingASupervisorEndsItsWholeTree(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{
			permanent("a"),
			supervisor.Child("sub", supervisor.Spec{Children: []supervisor.ChildSpec{stopping("b", time.Second, 2*time.Second)}}),
		}})
		sub := f.child(sup, "sub").PID
		w, b := f.watch("sub", sub), f.watch("b", f.child(sub, "b").PID)
		f.kill(sup)
		f.wantEnd(b, actor.ErrShutdown)
		f.wantEnd(w, actor.ErrKilled)
		f.idle()
		if n := f.sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

// TestAnExitSignalOfAChildThatLivesMeansNothing: in OTP it would be taken for
// the child's end, and there would be two.
func TestAnExitSignalOfAChildThatLivesMeansNothing(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		pid := f.startChild(sup, permanent("child"))
		if err := f.sys.Send(pid, func(self *actor.Self) { _ = self.Exit(self.Parent(), errAbnormal) }); err != nil {
			t.Fatal(err)
		}
		f.idle()
		if got := f.child(sup, "child"); got.PID != pid || got.Restarts != 0 {
			t.Errorf("the child is %+v, want still %v", got, pid)
		}
	})
}

func TestTheEndOfAnotherLinkedProcessMeansNothing(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		other, err := f.sys.Spawn(f.ctx, new(worker))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.sys.Send(other, func(self *actor.Self) { _ = self.Link(sup) }); err != nil {
			t.Fatal(err)
		}
		f.end(other, errAbnormal)
		f.wantAlive("the supervisor", sup)
	})
}

// TestUnknownRequestsAreRefused: they fail at once instead of timing out.
func TestUnknownRequestsAreRefused(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		_, err := actor.Call[int](f.ctx, f.sys, sup, "how are you?")
		f.wantError("Call", err, actor.ErrNoReply)
		f.wantAlive("the supervisor", sup)
	})
}

// TestRequestsThatWaitFailWithTheSupervisor: a child takes long to stop,
// requests queue up, the supervisor is told to end.
func TestRequestsThatWaitFailWithTheSupervisor(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{stopping("slow", time.Minute, time.Hour)}})
		errs := make(chan error, 2)
		go func() { errs <- supervisor.TerminateChild(f.ctx, f.sys, sup, "slow") }()
		f.idle()
		go func() {
			_, err := supervisor.WhichChildren(f.ctx, f.sys, sup)
			errs <- err
		}()
		f.idle()
		if len(errs) != 0 {
			t.Fatalf("a request was answered in the middle of an operation: %v", <-errs)
		}
		began := time.Now()
		f.stop(sup)
		f.wantTook("the rest of the stop", began, time.Minute)
		for range 2 {
			f.wantError("a request", <-errs, actor.ErrShutdown)
		}
	})
}

// TestASupervisorThatWaitsCanBeKilled: a child that never stops does not keep
// its supervisor from ending when that is killed. The child goes on stopping.
func TestASupervisorThatWaitsCanBeKilled(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := stopping("slow", time.Hour, supervisor.Infinity)
		sub := supervisor.Child("sub", supervisor.Spec{Children: []supervisor.ChildSpec{child}})
		sub.Shutdown = time.Second
		top := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{sub}})
		pid := f.child(top, "sub").PID
		w, slow := f.watch("sub", pid), f.child(pid, "slow").PID
		began := time.Now()
		f.terminateChild(top, "sub")
		f.wantTook("killing a supervisor in its Terminate", began, time.Second)
		f.wantEnd(w, actor.ErrKilled)
		f.wantAlive("the child", slow)
		f.kill(slow)
	})
}

// TestBackoffDelaysRestarts checks the delays in the process: the child is
// restarting meanwhile, and can be terminated.
func TestBackoffDelaysRestarts(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := permanent("child")
		child.Backoff = supervisor.Backoff{Initial: time.Second, Jitter: 0.5}
		sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(100), Seed: 1, Children: []supervisor.ChildSpec{child}})
		for _, full := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			f.end(f.child(sup, "child").PID, errAbnormal)
			f.wantChildren(sup, "child restarting")
			time.Sleep(full/2 - 1)
			f.wantChildren(sup, "child restarting")
			time.Sleep(full/2 + 1)
			f.wantChildren(sup, "child running")
		}
		f.end(f.child(sup, "child").PID, errAbnormal)
		f.terminateChild(sup, "child")
		time.Sleep(time.Hour)
		f.wantChildren(sup, "child stopped")
		f.end(f.restartChild(sup, "child"), errAbnormal)
		began := time.Now()
		f.stop(sup) // although a restart is due
		f.wantTook("stopping", began, 0)
	})
}

// TestDelaysAreGivenBySeed compares two supervisors with one Seed.
func TestDelaysAreGivenBySeed(t *testing.T) {
	delays := func(seed uint64) (all []time.Duration) {
		bubble(t, func(f *fixture) {
			started := make(chan time.Time, 1)
			child := startingWith("child", func(*actor.Self) error { started <- time.Now(); return nil })
			child.Backoff = supervisor.Backoff{Initial: time.Second, Factor: 1, Jitter: 1}
			sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(100), Seed: seed, Children: []supervisor.ChildSpec{child}})
			<-started
			for range 5 {
				began := time.Now()
				f.end(f.child(sup, "child").PID, errAbnormal)
				all = append(all, (<-started).Sub(began))
			}
		})
		return all
	}
	a, b, c := delays(7), delays(7), delays(8)
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("delay %d is %v and %v with the same seed", i, a[i], b[i])
		}
		if a[i] == c[i] {
			t.Errorf("delay %d is %v with different seeds", i, a[i])
		}
	}
}
