package supervisor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// slow is the start function of a worker that takes d to stop, unless it is
// killed meanwhile. The first argument, if there is one, is another d.
func slow(d time.Duration) actor.StartFunc {
	return actor.StartWith(func(args ...any) actor.Actor {
		d := d
		if len(args) > 0 {
			d = args[0].(time.Duration)
		}
		return &worker{terminate: func(self *actor.Self, _ error) {
			select {
			case <-time.After(d):
			case <-self.Context().Done(): // in Terminate only a kill cancels it
			}
		}}
	})
}

// stopping returns the specification of a child that takes d to stop.
func stopping(id string, d, shutdown time.Duration) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: slow(d), Shutdown: shutdown}
}

// wantTook checks how long something took in virtual time.
func (f *fixture) wantTook(what string, began time.Time, want time.Duration) {
	f.Helper()
	if took := time.Since(began); took != want {
		f.Errorf("%s took %v, want %v", what, took, want)
	}
}

func TestSupStopInfinity(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		child1, child2 := stopping("child1", time.Hour, supervisor.Infinity), stopping("child2", time.Hour, supervisor.Infinity)
		child1.Type = supervisor.Supervisor
		w1 := f.watch("child1", f.startChild(sup, child1))
		w2 := f.watch("child2", f.startChild(sup, child2))
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping two slow children in turn", began, 2*time.Hour)
		f.wantEnd(w1, actor.ErrShutdown)
		f.wantEnd(w2, actor.ErrShutdown)
	})
}

func TestSupStopInfinityDynamic(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(stopping("child", time.Hour, supervisor.Infinity)))
		w1 := f.watch("instance 1", f.startInstance(sup))
		w2 := f.watch("instance 2", f.startInstance(sup))
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping two slow instances at the same time", began, time.Hour)
		f.wantEnd(w1, actor.ErrShutdown)
		f.wantEnd(w2, actor.ErrShutdown)
	})
}

func TestSupStopTimeout(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		w1 := f.watch("child1", f.startChild(sup, stopping("child1", 0, time.Second)))
		w2 := f.watch("child2", f.startChild(sup, stopping("child2", time.Hour, time.Second)))
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping a child that takes too long", began, time.Second)
		f.wantEnd(w1, actor.ErrShutdown)
		f.wantEnd(w2, actor.ErrKilled)
	})
}

func TestSupStopTimeoutDynamic(t *testing.T) {
	bubble(t, func(f *fixture) {
		template := stopping("child", 0, time.Second)
		template.Restart = supervisor.Temporary
		sup := f.supervise(simple(template))
		w1 := f.watch("instance 1", f.startInstance(sup))
		w2 := f.watch("instance 2", f.startInstance(sup, time.Hour))
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping an instance that takes too long", began, time.Second)
		f.wantEnd(w1, actor.ErrShutdown)
		f.wantEnd(w2, actor.ErrKilled)
	})
}

func TestSupStopBrutalKill(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		w1 := f.watch("child1", f.startChild(sup, stopping("child1", time.Millisecond, time.Second)))
		w2 := f.watch("child2", f.startChild(sup, stopping("child2", time.Hour, supervisor.BrutalKill)))
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping", began, time.Millisecond)
		f.wantEnd(w1, actor.ErrShutdown)
		f.wantEnd(w2, actor.ErrKilled)
	})
}

func TestSupStopBrutalKillDynamic(t *testing.T) {
	bubble(t, func(f *fixture) {
		template := stopping("child", time.Hour, supervisor.BrutalKill)
		template.Restart = supervisor.Temporary
		sup := f.supervise(simple(template))
		var watches []*watch
		for i := range 10 {
			watches = append(watches, f.watch(fmt.Sprintf("instance %d", i), f.startInstance(sup)))
		}
		began := time.Now()
		f.stop(sup)
		f.wantTook("killing", began, 0)
		for _, w := range watches {
			f.wantEnd(w, actor.ErrKilled)
		}
	})
}

// endings are four reasons to end.
var endings = []error{
	actor.ErrNormal,
	actor.ErrShutdown,
	fmt.Errorf("test: %w", actor.ErrShutdown),
	errAbnormal,
}

// TestSupStopRace checks that a supervisor stops in order although children end
// by themselves meanwhile, for all kinds of reasons.
func TestSupStopRace(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		first := f.watch("first", f.startChild(sup, temporary("first")))
		var pids []actor.PID
		var watches []*watch
		for _, restart := range []supervisor.Restart{supervisor.Temporary, supervisor.Transient, supervisor.Permanent} {
			for i := range endings {
				id := fmt.Sprintf("%v %d", restart, i)
				pid := f.startChild(sup, supervisor.ChildSpec{ID: id, Start: start, Restart: restart})
				pids = append(pids, pid)
				watches = append(watches, f.watch(id, pid))
			}
		}
		last := stopping("last", time.Second, 2*time.Second)
		last.Restart = supervisor.Temporary
		wLast := f.watch("last", f.startChild(sup, last))
		go func() {
			time.Sleep(200 * time.Millisecond)
			for i, pid := range pids {
				_ = f.sys.Send(pid, endings[i%len(endings)])
			}
		}()
		began := time.Now()
		f.stop(sup)
		f.wantTook("stopping", began, time.Second)
		f.wantEnd(wLast, actor.ErrShutdown)
		for i, w := range watches {
			f.wantEnd(w, endings[i%len(endings)])
		}
		f.wantEnd(first, actor.ErrShutdown)
	})
}

// TestSupStopNonShutdownExitDynamic checks the stop of instances that answer
// shutdown with an end of their own.
func TestSupStopNonShutdownExitDynamic(t *testing.T) {
	for _, restart := range []supervisor.Restart{supervisor.Temporary, supervisor.Transient, supervisor.Permanent} {
		bubble(t, func(f *fixture) {
			template := supervisor.ChildSpec{ID: "child", Restart: restart, Start: actor.StartWith(func(args ...any) actor.Actor {
				return &worker{terminate: func(*actor.Self, error) {
					if args[0] != nil {
						panic(args[0])
					}
				}}
			})}
			sup := f.supervise(simple(template))
			var watches []*watch
			wants := []error{actor.ErrShutdown, errAbnormal, errRefused}
			for _, reason := range []any{nil, errAbnormal, errRefused} {
				watches = append(watches, f.watch(fmt.Sprint(reason), f.startInstance(sup, reason)))
			}
			f.stop(sup)
			for i, w := range watches {
				if reason := w.wait(); !errors.Is(reason, wants[i]) {
					t.Errorf("instance ended with %v, want %v", reason, wants[i])
				}
			}
		})
	}
}
