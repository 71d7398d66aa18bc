package supervisor_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestCodeChange(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(0), Period: time.Second})
		faulty := supervisor.Spec{Intensity: supervisor.AtMost(-1), Children: []supervisor.ChildSpec{{ID: "child1"}}}
		wantMistakes(t, supervisor.UpdateSpec(f.ctx, f.sys, sup, faulty),
			"Intensity AtMost(-1) is negative", `child "child1": no Start`)
		f.wantChildren(sup)

		// New children are not started.
		f.update(sup, supervisor.Spec{Children: []supervisor.ChildSpec{permanent("child1"), permanent("child2")}})
		f.wantChildren(sup, "child1 stopped", "child2 stopped")
		pid1 := f.restartChild(sup, "child1")
		f.restartChild(sup, "child2")

		// One changed, one not mentioned, one new: nobody is deleted.
		changed := permanent("child1")
		changed.Shutdown = time.Minute
		f.update(sup, supervisor.Spec{Children: []supervisor.ChildSpec{changed, permanent("child3")}})
		f.wantChildren(sup, "child1 running", "child3 stopped", "child2 running")
		if got := f.child(sup, "child1").PID; got != pid1 {
			t.Errorf("child1 is %v; it should still be %v", got, pid1)
		}
		if spec, err := supervisor.ChildSpecOf(f.ctx, f.sys, sup, "child1"); spec.Shutdown != time.Minute || err != nil {
			t.Errorf("child1 has Shutdown %v, %v; want 1m", spec.Shutdown, err)
		}

		// The new intensity counts: it is the default now.
		f.end(pid1, errAbnormal)
		f.wantChildren(sup, "child1 running", "child3 stopped", "child2 running")
		f.stop(sup)
	})
}

func TestCodeChangeSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(stopping("child1", time.Second, supervisor.BrutalKill)))
		w := f.watch("instance", f.startInstance(sup))
		f.update(sup, simple(stopping("child1", time.Second, time.Minute)))

		two := simple(permanent("child1"))
		two.Children = append(two.Children, permanent("child2"))
		wantMistakes(t, supervisor.UpdateSpec(f.ctx, f.sys, sup, two),
			"SimpleOneForOne needs exactly one child, the template; there are 2")
		none := supervisor.Spec{Strategy: supervisor.SimpleOneForOne}
		wantMistakes(t, supervisor.UpdateSpec(f.ctx, f.sys, sup, none),
			"SimpleOneForOne needs exactly one child, the template; there are 0")
		wantMistakes(t, supervisor.UpdateSpec(f.ctx, f.sys, sup, supervisor.Spec{}),
			"Strategy cannot change from simple_one_for_one to one_for_one")

		f.stop(sup)
		f.wantEnd(w, actor.ErrShutdown) // by the changed Shutdown
	})
}

// upgrade runs a test of two significant transient children under a supervisor
// that began with one mode of automatic shutdown and changed to another.
func upgrade(t *testing.T, from, to supervisor.AutoShutdown, test func(f *fixture, sup, child1, child2 actor.PID)) {
	t.Helper()
	bubble(t, func(f *fixture) {
		first, second := significant(transient("child1")), significant(transient("child2"))
		sup := f.supervise(auto(from))
		var child1, child2 actor.PID
		if from == supervisor.Never {
			_, err := supervisor.StartChild(f.ctx, f.sys, sup, first)
			f.wantError("StartChild of a significant child", err, supervisor.ErrSpec)
			f.update(sup, auto(to))
			child1, child2 = f.startChild(sup, first), f.startChild(sup, second)
		} else {
			child1, child2 = f.startChild(sup, first), f.startChild(sup, second)
			f.update(sup, auto(to))
		}
		f.wantAlive("child1", child1)
		f.wantAlive("child2", child2)
		f.wantAlive("the supervisor", sup)
		test(f, sup, child1, child2)
	})
}

// endsWithFirst, endsWithLast and endsWithNone are what may be true of a
// supervisor after its upgrade.
func endsWithFirst(f *fixture, sup, child1, _ actor.PID) {
	f.wantShutdown(sup, func() { f.end(child1, actor.ErrNormal) })
}

func endsWithLast(f *fixture, sup, child1, child2 actor.PID) {
	f.wantStays(sup, "of two significant ones", func() { f.end(child1, actor.ErrNormal) })
	f.wantShutdown(sup, func() { f.end(child2, actor.ErrNormal) })
}

func endsWithNone(f *fixture, sup, child1, child2 actor.PID) {
	_, err := supervisor.StartChild(f.ctx, f.sys, sup, significant(transient("child3")))
	f.wantError("StartChild of a significant child", err, supervisor.ErrSpec)
	f.wantStays(sup, "significant for nothing", func() { f.end(child1, actor.ErrNormal) })
	f.wantStays(sup, "significant for nothing", func() { f.end(child2, actor.ErrNormal) })
	f.restartChild(sup, "child1")
	f.stop(sup)
}

func TestSignificantUpgradeNeverAny(t *testing.T) {
	upgrade(t, supervisor.Never, supervisor.AnySignificant, endsWithFirst)
}

func TestSignificantUpgradeAnyNever(t *testing.T) {
	upgrade(t, supervisor.AnySignificant, supervisor.Never, endsWithNone)
}

func TestSignificantUpgradeNeverAll(t *testing.T) {
	upgrade(t, supervisor.Never, supervisor.AllSignificant, endsWithLast)
}

func TestSignificantUpgradeAllNever(t *testing.T) {
	upgrade(t, supervisor.AllSignificant, supervisor.Never, endsWithNone)
}

func TestSignificantUpgradeAnyAll(t *testing.T) {
	upgrade(t, supervisor.AnySignificant, supervisor.AllSignificant, endsWithLast)
}

func TestSignificantUpgradeAllAny(t *testing.T) {
	upgrade(t, supervisor.AllSignificant, supervisor.AnySignificant, endsWithFirst)
}

// TestSignificantUpgradeChild makes a child significant, and back.
func TestSignificantUpgradeChild(t *testing.T) {
	plain := transient("child")
	bubble(t, func(f *fixture) {
		never := f.supervise(auto(supervisor.Never, plain))
		wantMistakes(t, supervisor.UpdateSpec(f.ctx, f.sys, never, auto(supervisor.Never, significant(plain))),
			`child "child": Significant needs an AutoShutdown other than Never`)
		f.wantChildren(never, "child running")
		f.stop(never)

		becomes := f.supervise(auto(supervisor.AnySignificant, plain))
		f.update(becomes, auto(supervisor.AnySignificant, significant(plain)))
		f.wantChildren(becomes, "child running")
		f.wantShutdown(becomes, func() { f.end(f.child(becomes, "child").PID, actor.ErrNormal) })

		was := f.supervise(auto(supervisor.AnySignificant, significant(plain)))
		f.update(was, auto(supervisor.AnySignificant, plain))
		f.wantStays(was, "no longer significant", func() { f.end(f.child(was, "child").PID, actor.ErrNormal) })
		f.wantChildren(was, "child stopped")
		f.stop(was)
	})
}
