package supervisor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// wantAfterEnd starts a child, lets it end with each reason in turn, and checks
// whether it is restarted, kept without a process or forgotten.
func wantAfterEnd(t *testing.T, child supervisor.ChildSpec, want string, reasons ...error) {
	t.Helper()
	bubble(t, func(f *fixture) {
		for _, reason := range reasons {
			sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(2)})
			pid := f.startChild(sup, child)
			f.end(pid, reason)
			switch want {
			case "restarted":
				f.wantChildren(sup, child.ID+" running")
				f.wantCounts(sup, 1, 1, 0, 1)
				if got := f.child(sup, child.ID); got.PID == pid || got.Restarts != 1 {
					t.Errorf("after %v the child is %+v; it was %v", reason, got, pid)
				}
			case "kept":
				f.wantChildren(sup, child.ID+" stopped")
				f.wantCounts(sup, 1, 0, 0, 1)
				f.restartChild(sup, child.ID)
			case "forgotten":
				f.wantChildren(sup)
				f.wantCounts(sup, 0, 0, 0, 0)
				f.startChild(sup, child)
			}
		}
	})
}

// shutdowns are orderly ends by shutdown, without and with a reason.
var shutdowns = []error{actor.ErrShutdown, fmt.Errorf("some info: %w", actor.ErrShutdown)}

func TestPermanentNormal(t *testing.T) {
	wantAfterEnd(t, permanent("child1"), "restarted", actor.ErrNormal)
}

func TestPermanentShutdown(t *testing.T) {
	wantAfterEnd(t, permanent("child1"), "restarted", shutdowns...)
}

func TestPermanentAbnormal(t *testing.T) {
	wantAfterEnd(t, permanent("child1"), "restarted", errAbnormal)
}

func TestTransientNormal(t *testing.T) {
	wantAfterEnd(t, transient("child1"), "kept", actor.ErrNormal)
}

func TestTransientShutdown(t *testing.T) {
	wantAfterEnd(t, transient("child1"), "kept", shutdowns...)
}

func TestTransientAbnormal(t *testing.T) {
	wantAfterEnd(t, transient("child1"), "restarted", errAbnormal)
}

func TestTemporaryNormal(t *testing.T) {
	wantAfterEnd(t, temporary("child1"), "forgotten", actor.ErrNormal)
}

func TestTemporaryShutdown(t *testing.T) {
	wantAfterEnd(t, temporary("child1"), "forgotten", shutdowns...)
}

func TestTemporaryAbnormal(t *testing.T) {
	wantAfterEnd(t, temporary("child1"), "forgotten", errAbnormal)
}

// TestTemporaryBystander checks that a temporary child that is stopped for a
// sibling's sake is not restarted.
func TestTemporaryBystander(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForAll, supervisor.RestForOne} {
		bubble(t, func(f *fixture) {
			sup := f.supervise(supervisor.Spec{Strategy: strategy, Intensity: supervisor.AtMost(2)})
			child1 := f.startChild(sup, permanent("child1"))
			w := f.watch("child2", f.startChild(sup, temporary("child2")))
			f.end(child1, actor.ErrNormal)
			f.wantEnd(w, actor.ErrShutdown)
			f.wantAlive("the supervisor", sup)
			f.wantChildren(sup, "child1 running")
		})
	}
}

// TestMultipleRestarts restarts often, but never more often than the intensity
// allows, and then once more.
func TestMultipleRestarts(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(1), Period: time.Second})
		child := permanent("child1")
		child.Shutdown = supervisor.BrutalKill
		f.startChild(sup, child)
		for range 10 {
			f.end(f.child(sup, "child1").PID, errAbnormal)
			time.Sleep(1001 * time.Millisecond)
		}
		if n := f.child(sup, "child1").Restarts; n != 10 {
			t.Errorf("%d restarts, want 10", n)
		}
		f.end(f.child(sup, "child1").PID, errAbnormal)
		time.Sleep(time.Second) // the end of the period belongs to it
		w := f.watch("supervisor", sup)
		f.end(f.child(sup, "child1").PID, errAbnormal)
		f.wantEnd(w, supervisor.ErrIntensity)
	})
}

func TestIntensityZeroToleratesNoRestart(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{
			Intensity: supervisor.AtMost(0),
			Children:  []supervisor.ChildSpec{permanent("child1"), temporary("child2")},
		})
		f.end(f.child(sup, "child2").PID, errAbnormal) // needs no restart
		w := f.watch("supervisor", sup)
		f.end(f.child(sup, "child1").PID, errAbnormal)
		f.wantEnd(w, supervisor.ErrIntensity)
	})
}

func TestTheZeroSpecToleratesOneRestartInFiveSeconds(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{permanent("child1")}})
		f.end(f.child(sup, "child1").PID, errAbnormal)
		time.Sleep(5001 * time.Millisecond)
		f.end(f.child(sup, "child1").PID, errAbnormal)
		w := f.watch("supervisor", sup)
		time.Sleep(4999 * time.Millisecond)
		f.end(f.child(sup, "child1").PID, errAbnormal)
		reason := w.wait()
		f.wantError("the supervisor", reason, supervisor.ErrIntensity)
		f.wantError("the supervisor", reason, actor.ErrShutdown)
		if want := `supervisor: too many restarts: child "child1": abnormal`; reason.Error() != want {
			t.Errorf("reason is %q, want %q", reason, want)
		}
	})
}
