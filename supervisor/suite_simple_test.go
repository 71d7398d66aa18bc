package supervisor_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestSimpleOneForOne(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(permanent("child")))
		pid1, pid2 := f.startInstance(sup), f.startInstance(sup)
		f.end(pid1, errAbnormal)
		list := f.which(sup)
		if len(list) != 2 || list[0].PID == pid1 || list[1].PID != pid2 {
			t.Errorf("instances are %+v; %v should be replaced, %v not", list, pid1, pid2)
		}
		f.wantCounts(sup, 1, 2, 0, 2)
		f.end(pid2, errAbnormal)
		w := f.watch("supervisor", sup)
		f.end(f.which(sup)[0].PID, errAbnormal)
		f.wantEnd(w, actor.ErrShutdown)
	})
}

// TestSimpleOneForOneShutdown checks that instances stop side by side, each
// within the Shutdown of the template.
func TestSimpleOneForOneShutdown(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(stopping("child", 0, 2*time.Second)))
		var watches []*watch
		for _, d := range []time.Duration{time.Second, time.Second, 5 * time.Second} {
			watches = append(watches, f.watch(fmt.Sprint(d), f.startInstance(sup, d)))
		}
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping", began, 2*time.Second)
		f.wantEnd(watches[0], actor.ErrShutdown)
		f.wantEnd(watches[1], actor.ErrShutdown)
		f.wantEnd(watches[2], actor.ErrKilled)
	})
}

func TestSimpleOneForOneEscalation(t *testing.T) {
	bubble(t, func(f *fixture) {
		once := startsOnce()
		template := permanent("child")
		template.Start = func(parent *actor.Self, args ...any) (actor.PID, error) {
			if len(args) > 0 {
				return once(parent)
			}
			return start(parent)
		}
		spec := simple(template)
		spec.Intensity = supervisor.AtMost(4)
		sup := f.supervise(spec)
		pid1, pid2 := f.startInstance(sup, "once"), f.startInstance(sup)
		w, w2 := f.watch("supervisor", sup), f.watch("instance", pid2)
		f.end(pid1, errAbnormal)
		f.wantEnd(w, supervisor.ErrIntensity)
		f.wantEnd(w2, actor.ErrShutdown)
	})
}

// TestSimpleOneForOneRestartIgnore checks that an instance that is not wanted
// any more when it is restarted is forgotten.
func TestSimpleOneForOneRestartIgnore(t *testing.T) {
	for _, restart := range []supervisor.Restart{supervisor.Transient, supervisor.Permanent} {
		bubble(t, func(f *fixture) {
			starts := 0
			spec := simple(supervisor.ChildSpec{ID: "child", Restart: restart, Start: func(parent *actor.Self, _ ...any) (actor.PID, error) {
				if starts++; starts == 3 {
					return ignoring(parent)
				}
				return start(parent)
			}})
			sup := f.supervise(spec)
			f.kill(f.startInstance(sup))
			f.wantChildren(sup, "child running")
			f.kill(f.which(sup)[0].PID)
			f.wantChildren(sup)
			f.wantCounts(sup, 1, 0, 0, 0)
			f.stop(sup)
		})
	}
}

// large is an argument that takes room.
type large struct{ room [1 << 16]byte }

// wantReleased checks that nothing holds on to p.
func wantReleased(t *testing.T, what string, p weak.Pointer[large]) {
	t.Helper()
	for range 10 {
		runtime.GC()
		if p.Value() == nil {
			return
		}
	}
	t.Errorf("%s is still held", what)
}

// TestDoNotSaveStartParametersForTemporaryChildren checks it for arguments and
// for start functions, and that those of other children are kept.
func TestDoNotSaveStartParametersForTemporaryChildren(t *testing.T) {
	for _, strategy := range []supervisor.Strategy{
		supervisor.OneForAll, supervisor.OneForOne, supervisor.RestForOne, supervisor.SimpleOneForOne,
	} {
		for _, restart := range []supervisor.Restart{supervisor.Permanent, supervisor.Transient, supervisor.Temporary} {
			bubble(t, func(f *fixture) {
				held := startWithLarge(f, strategy, restart)
				f.idle()
				if restart == supervisor.Temporary {
					wantReleased(t, "what a temporary child was started with", held)
				} else if runtime.GC(); held.Value() == nil {
					t.Errorf("what a %v child was started with is gone", restart)
				}
			})
		}
	}
}

func startWithLarge(f *fixture, strategy supervisor.Strategy, restart supervisor.Restart) weak.Pointer[large] {
	child := supervisor.ChildSpec{ID: "child", Restart: restart, Start: start}
	arg := new(large)
	if strategy == supervisor.SimpleOneForOne {
		sup := f.supervise(simple(child))
		f.startInstance(sup, arg)
		return weak.Make(arg)
	}
	child.Start = func(parent *actor.Self, _ ...any) (actor.PID, error) {
		_ = arg.room
		return start(parent)
	}
	f.startChild(f.supervise(supervisor.Spec{Strategy: strategy}), child)
	return weak.Make(arg)
}

// TestSimpleOneForOneCorruption checks that arguments of temporary instances
// are not kept either after one instance has ended.
func TestSimpleOneForOneCorruption(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(temporary("child")))
		f.end(f.startInstance(sup), errAbnormal)
		held := func() weak.Pointer[large] {
			arg := new(large)
			f.startInstance(sup, arg)
			return weak.Make(arg)
		}()
		f.idle()
		wantReleased(t, "the argument of a temporary instance", held)
	})
}
