package supervisor_test

import (
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

var autoShutdowns = []supervisor.AutoShutdown{supervisor.Never, supervisor.AnySignificant, supervisor.AllSignificant}

func significant(c supervisor.ChildSpec) supervisor.ChildSpec {
	c.Significant = true
	return c
}

// auto returns a supervisor with automatic shutdown.
func auto(mode supervisor.AutoShutdown, children ...supervisor.ChildSpec) supervisor.Spec {
	return supervisor.Spec{Intensity: supervisor.AtMost(5), AutoShutdown: mode, Children: children}
}

// wantStays ends a child and checks that its supervisor stays.
func (f *fixture) wantStays(sup actor.PID, how string, end func()) {
	f.Helper()
	end()
	f.idle()
	if !f.sys.Alive(sup) {
		f.Fatalf("the supervisor has ended with a child %s", how)
	}
}

// wantShutdown ends a child and checks that its supervisor ends too, and takes
// the other children along.
func (f *fixture) wantShutdown(sup actor.PID, end func()) {
	f.Helper()
	w := f.watch("supervisor", sup)
	others := f.which(sup)
	end()
	f.wantEnd(w, supervisor.ErrAutoShutdown)
	for _, c := range others {
		if f.sys.Alive(c.PID) {
			f.Errorf("child %q outlives its supervisor", c.ID)
		}
	}
}

func TestNonsignificantTemporary(t *testing.T) {
	for _, mode := range autoShutdowns {
		bubble(t, func(f *fixture) {
			sup := f.supervise(auto(mode))
			f.startChild(sup, temporary("child1"))
			f.wantStays(sup, "terminated", func() { f.terminateChild(sup, "child1") })
			pid := f.startChild(sup, temporary("child1"))
			f.wantStays(sup, "killed", func() { f.kill(pid) })
			for _, reason := range []error{errAbnormal, actor.ErrNormal} {
				pid = f.startChild(sup, temporary("child1"))
				f.wantStays(sup, reason.Error(), func() { f.end(pid, reason) })
			}
			f.stop(sup)
		})
	}
}

func TestNonsignificantTransient(t *testing.T) {
	for _, mode := range autoShutdowns {
		bubble(t, func(f *fixture) {
			sup := f.supervise(auto(mode, transient("child1")))
			f.wantStays(sup, "terminated", func() { f.terminateChild(sup, "child1") })
			pid := f.restartChild(sup, "child1")
			f.wantStays(sup, "killed", func() { f.kill(pid) })
			f.wantStays(sup, "abnormal", func() { f.end(f.child(sup, "child1").PID, errAbnormal) })
			f.wantStays(sup, "normal", func() { f.end(f.child(sup, "child1").PID, actor.ErrNormal) })
			f.wantChildren(sup, "child1 stopped")
			f.stop(sup)
		})
	}
}

func TestSignificantTemporary(t *testing.T) {
	children := []supervisor.ChildSpec{
		significant(temporary("child1")), significant(temporary("child2")), temporary("child3"),
	}
	bubble(t, func(f *fixture) {
		sup := f.supervise(auto(supervisor.AnySignificant, children...))
		f.wantStays(sup, "terminated", func() { f.terminateChild(sup, "child1") })
		pid := f.startChild(sup, children[0])
		f.wantChildren(sup, "child2 running", "child3 running", "child1 running")
		f.wantShutdown(sup, func() { f.kill(pid) })
		for _, reason := range []error{errAbnormal, actor.ErrNormal} {
			sup := f.supervise(auto(supervisor.AnySignificant, children...))
			f.wantShutdown(sup, func() { f.end(f.child(sup, "child1").PID, reason) })
		}
		sup = f.supervise(auto(supervisor.AllSignificant, children...))
		f.wantStays(sup, "of two significant ones", func() { f.end(f.child(sup, "child1").PID, actor.ErrNormal) })
		f.wantShutdown(sup, func() { f.end(f.child(sup, "child2").PID, actor.ErrNormal) })
	})
}

func TestSignificantTransient(t *testing.T) {
	children := []supervisor.ChildSpec{
		significant(transient("child1")), significant(transient("child2")), transient("child3"),
	}
	bubble(t, func(f *fixture) {
		sup := f.supervise(auto(supervisor.AnySignificant, children...))
		f.wantStays(sup, "terminated", func() { f.terminateChild(sup, "child1") })
		f.restartChild(sup, "child1")
		f.wantStays(sup, "killed", func() { f.kill(f.child(sup, "child1").PID) })
		f.wantStays(sup, "abnormal", func() { f.end(f.child(sup, "child1").PID, errAbnormal) })
		f.wantChildren(sup, "child1 running", "child2 running", "child3 running")
		f.wantShutdown(sup, func() { f.end(f.child(sup, "child1").PID, actor.ErrNormal) })

		sup = f.supervise(auto(supervisor.AllSignificant, children...))
		f.wantStays(sup, "of two significant ones", func() { f.end(f.child(sup, "child1").PID, actor.ErrNormal) })
		f.wantShutdown(sup, func() { f.end(f.child(sup, "child2").PID, actor.ErrNormal) })
	})
}

// TestSignificantSimple checks that automatic shutdown does not go with
// instances.
func TestSignificantSimple(t *testing.T) {
	for _, mode := range []supervisor.AutoShutdown{supervisor.AnySignificant, supervisor.AllSignificant} {
		spec := simple(permanent("child1"))
		spec.AutoShutdown = mode
		wantMistakes(t, spec.Validate(), "AutoShutdown "+mode.String()+" cannot go with SimpleOneForOne")
	}
	bubble(t, func(f *fixture) { f.stop(f.supervise(simple(permanent("child1")))) })
}

// TestSignificantBystander checks that significant children that are stopped
// for a sibling's sake do not end the supervisor.
func TestSignificantBystander(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForOne, supervisor.OneForAll, supervisor.RestForOne} {
		for _, mode := range []supervisor.AutoShutdown{supervisor.AnySignificant, supervisor.AllSignificant} {
			bubble(t, func(f *fixture) {
				spec := auto(mode, significant(transient("child1")), transient("child2"), significant(transient("child3")))
				spec.Strategy = strategy
				sup := f.supervise(spec)
				f.wantStays(sup, "killed", func() { f.kill(f.child(sup, "child2").PID) })
				f.wantChildren(sup, "child1 running", "child2 running", "child3 running")
				f.stop(sup)
			})
		}
	}
}

// TestSignificantEscalation checks that the automatic shutdown of a supervisor
// is itself the end of a child, significant or not.
func TestSignificantEscalation(t *testing.T) {
	bubble(t, func(f *fixture) {
		inner := supervisor.Child("sup1", auto(supervisor.AnySignificant, significant(transient("child1"))))
		inner.Restart = supervisor.Transient

		outer := f.supervise(auto(supervisor.AnySignificant, significant(inner)))
		f.wantShutdown(outer, func() { f.end(f.child(f.child(outer, "sup1").PID, "child1").PID, actor.ErrNormal) })

		outer = f.supervise(auto(supervisor.AnySignificant, inner))
		f.wantStays(outer, "that is not significant", func() {
			f.end(f.child(f.child(outer, "sup1").PID, "child1").PID, actor.ErrNormal)
		})
		f.wantChildren(outer, "sup1 stopped")
		f.stop(outer)
	})
}
