package supervisor_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// The tests in the suite_ files bear the names of the cases of OTP's
// supervisor_SUITE and check what those check; see docs/supervision.md.

func TestSupStartNormal(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		f.wantChildren(sup)
		f.stop(sup)
	})
}

func TestSupStartIgnoreInit(t *testing.T) {
	bubble(t, func(f *fixture) {
		parent := f.supervise(supervisor.Spec{})
		ignored := supervisor.StartWith(func(...any) (supervisor.Spec, error) {
			return supervisor.Spec{}, actor.ErrIgnore
		})
		pid, err := supervisor.StartChild(f.ctx, f.sys, parent, supervisor.ChildSpec{ID: "sup", Start: ignored})
		if !pid.IsZero() || err != nil {
			t.Errorf("StartChild = %v, %v; want no process and no error", pid, err)
		}
		f.wantAlive("the parent", parent)
	})
}

func TestSupStartIgnoreChild(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		if pid := f.startChild(sup, supervisor.ChildSpec{ID: "child1", Start: ignoring}); !pid.IsZero() {
			t.Errorf("an ignored child has PID %v", pid)
		}
		f.startChild(sup, permanent("child2"))
		f.wantChildren(sup, "child1 stopped", "child2 running")
		f.wantCounts(sup, 2, 1, 0, 2)
	})
}

func TestSupStartIgnoreTemporaryChild(t *testing.T) {
	bubble(t, func(f *fixture) {
		ignored := temporary("child1")
		ignored.Start = ignoring
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{ignored, temporary("child2")}})
		f.wantChildren(sup, "child2 running")
		f.wantCounts(sup, 1, 1, 0, 1)
	})
}

func TestSupStartIgnoreTemporaryChildStartChild(t *testing.T) {
	bubble(t, func(f *fixture) {
		ignored := temporary("child1")
		ignored.Start = ignoring
		sup := f.supervise(supervisor.Spec{})
		if pid := f.startChild(sup, ignored); !pid.IsZero() {
			t.Errorf("an ignored child has PID %v", pid)
		}
		f.startChild(sup, temporary("child2"))
		f.wantChildren(sup, "child2 running")
		f.wantCounts(sup, 1, 1, 0, 1)
	})
}

// ignoringFirst ignores the first start.
func ignoringFirst() actor.StartFunc {
	first := true
	return func(parent *actor.Self, args ...any) (actor.PID, error) {
		if first {
			first = false
			return ignoring(parent, args...)
		}
		return start(parent, args...)
	}
}

func TestSupStartIgnoreTemporaryChildStartChildSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		template := temporary("child1")
		template.Start = ignoringFirst()
		sup := f.supervise(simple(template))
		if pid := f.startInstance(sup); !pid.IsZero() {
			t.Errorf("an ignored child has PID %v", pid)
		}
		f.startInstance(sup)
		f.wantChildren(sup, "child1 running")
		f.wantCounts(sup, 1, 1, 0, 1)
	})
}

func TestSupStartIgnorePermanentChildStartChildSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		template := permanent("child1")
		template.Start = ignoringFirst()
		sup := f.supervise(simple(template))
		if pid := f.startInstance(sup); !pid.IsZero() {
			t.Errorf("an ignored child has PID %v", pid)
		}
		f.startInstance(sup)
		f.wantChildren(sup, "child1 running")
		f.wantCounts(sup, 1, 1, 0, 1)
		f.stop(sup)
	})
}

// simple returns a supervisor of instances of template that tolerates two
// restarts.
func simple(template supervisor.ChildSpec) supervisor.Spec {
	return supervisor.Spec{
		Strategy:  supervisor.SimpleOneForOne,
		Intensity: supervisor.AtMost(2),
		Children:  []supervisor.ChildSpec{template},
	}
}

func TestSupStartErrorReturn(t *testing.T) {
	bubble(t, func(f *fixture) {
		parent := f.supervise(supervisor.Spec{})
		_, err := supervisor.StartChild(f.ctx, f.sys, parent, supervisor.ChildSpec{
			ID:    "sup",
			Start: supervisor.StartWith(func(...any) (supervisor.Spec, error) { return supervisor.Spec{}, errRefused }),
		})
		f.wantError("StartChild", err, errRefused)
		f.wantChildren(parent)
	})
}

func TestSupStartFail(t *testing.T) {
	bubble(t, func(f *fixture) {
		parent := f.supervise(supervisor.Spec{})
		_, err := supervisor.StartChild(f.ctx, f.sys, parent, supervisor.ChildSpec{
			ID:    "sup",
			Start: supervisor.StartWith(func(...any) (supervisor.Spec, error) { panic("fail") }),
		})
		var panicked *actor.PanicError
		if !errors.As(err, &panicked) || panicked.Value != "fail" {
			t.Errorf("StartChild fails with %v, want the panic", err)
		}
		f.wantChildren(parent)
	})
}

func TestSupStartChildReturnsError(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		_, err := supervisor.StartChild(f.ctx, f.sys, sup, supervisor.ChildSpec{ID: "child1", Start: refusing})
		f.wantError("StartChild", err, errRefused)
		var startError *supervisor.StartError
		if !errors.As(err, &startError) || startError.ID != "child1" {
			t.Errorf("StartChild fails with %v, want a StartError that names child1", err)
		}
		f.wantChildren(sup)
	})
}

func TestSupStartRestartChildReturnsError(t *testing.T) {
	bubble(t, func(f *fixture) {
		refuse := false
		child := permanent("child1")
		child.Start = func(parent *actor.Self, args ...any) (actor.PID, error) {
			if refuse {
				return refusing(parent)
			}
			return start(parent)
		}
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{child}})
		f.terminateChild(sup, "child1")
		refuse = true
		_, err := supervisor.RestartChild(f.ctx, f.sys, sup, "child1")
		f.wantError("RestartChild", err, errRefused)
		f.wantChildren(sup, "child1 stopped")
	})
}

func TestSupStartChildReturnsErrorSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(supervisor.ChildSpec{ID: "child1", Start: refusing}))
		_, err := supervisor.StartInstance(f.ctx, f.sys, sup)
		f.wantError("StartInstance", err, errRefused)
		f.wantChildren(sup)
	})
}
