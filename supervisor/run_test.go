package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// running is a Run in the background.
type running struct {
	cancel context.CancelFunc
	result chan error
}

func (f *fixture) run(spec supervisor.Spec, deadline time.Duration) *running {
	ctx, cancel := context.WithCancel(f.ctx)
	r := &running{cancel, make(chan error, 1)}
	go func() { r.result <- supervisor.Run(ctx, f.sys, spec, deadline) }()
	f.idle()
	return r
}

// named returns a worker with a name, by which the test finds it.
func named(name actor.Name, w *worker) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: string(name), Start: actor.Start(func() actor.Actor { return w }, name, actor.Label(name))}
}

func (f *fixture) whereis(name actor.Name) actor.PID {
	f.Helper()
	pid, ok := f.sys.Whereis(name)
	if !ok {
		f.Fatalf("no %q", name)
	}
	return pid
}

func TestRunStopsTheTreeWhenItsContextEnds(t *testing.T) {
	bubble(t, func(f *fixture) {
		slow := &worker{terminate: func(*actor.Self, error) { <-time.After(4 * time.Second) }}
		r := f.run(supervisor.Spec{Children: []supervisor.ChildSpec{named("slow", slow)}}, 5*time.Second)
		if len(r.result) != 0 {
			t.Fatalf("Run returned %v at once", <-r.result)
		}
		began := time.Now()
		r.cancel()
		if err := <-r.result; err != nil {
			t.Errorf("Run returns %v, want nil", err)
		}
		// Run looks whether the tree is gone, and then again some milliseconds later.
		if took := time.Since(began); took < 4*time.Second || took > 4*time.Second+10*time.Millisecond {
			t.Errorf("stopping took %v, want 4s", took)
		}
		f.idle()
		if n := f.sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

func TestRunReturnsWhyTheTreeEndedByItself(t *testing.T) {
	for _, c := range []struct {
		child  supervisor.ChildSpec
		reason error
		want   error
	}{
		{named("child", new(worker)), errAbnormal, supervisor.ErrIntensity},
		{significant(transientOf(named("child", new(worker)))), actor.ErrNormal, nil},
	} {
		bubble(t, func(f *fixture) {
			r := f.run(supervisor.Spec{
				Intensity: supervisor.AtMost(0), AutoShutdown: supervisor.AnySignificant,
				Children: []supervisor.ChildSpec{c.child},
			}, 0)
			f.end(f.whereis("child"), c.reason)
			if err := <-r.result; !errors.Is(err, c.want) {
				t.Errorf("Run returns %v, want %v", err, c.want)
			}
		})
	}
}

func transientOf(c supervisor.ChildSpec) supervisor.ChildSpec {
	c.Restart = supervisor.Transient
	return c
}

func TestRunFailsWithTheStart(t *testing.T) {
	bubble(t, func(f *fixture) {
		err := supervisor.Run(f.ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "child", Start: refusing}}}, 0)
		f.wantError("Run", err, errRefused)
		err = supervisor.Run(f.ctx, f.sys, supervisor.Spec{Period: -1}, -time.Second)
		wantMistakes(t, err, "Run's deadline -1s is negative", "Period -1ns is negative")
	})
}

// TestRunKillsWhatIsLeftAtTheDeadline: a service that heeds nothing is killed,
// named, and holds nobody up for longer than the kill grace.
func TestRunKillsWhatIsLeftAtTheDeadline(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		stuck := supervisor.ChildSpec{ID: "stuck", Shutdown: supervisor.Infinity, Start: supervisor.Service(
			func(context.Context) error { <-release; return nil }, actor.Label("the stuck one"))}
		r := f.run(supervisor.Spec{Children: []supervisor.ChildSpec{
			named("first", new(worker)), supervisor.Child("sub", supervisor.Spec{Children: []supervisor.ChildSpec{stuck}}),
		}}, 3*time.Second)
		first := f.whereis("first")
		began := time.Now()
		r.cancel()
		err := <-r.result
		if took := time.Since(began).Truncate(100 * time.Millisecond); took != 3*time.Second+actor.DefaultKillGrace {
			t.Errorf("Run took %v", took)
		}
		var stop *supervisor.StopError
		if !errors.As(err, &stop) || len(stop.Killed) != 4 {
			t.Fatalf("Run returns %v, want a StopError with root, first, sub and stuck", err)
		}
		for _, want := range []string{"not stopped within 3s", `"the stuck one" (*supervisor.service)`, first.String()} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Run returns %q, want %q in it", err, want)
			}
		}
		f.idle()
		if s := f.sys.Stats(); s.Processes != 0 || s.Zombies != 1 {
			t.Errorf("%d processes and %d zombies are left, want 0 and 1", s.Processes, s.Zombies)
		}
		close(release)
		f.idle()
	})
}

// TestRunIsNotHeldUpByAStartThatIsStuck: ctx ends while a child's Init, which
// heeds nothing, is running.
func TestRunIsNotHeldUpByAStartThatIsStuck(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		r := f.run(supervisor.Spec{Children: []supervisor.ChildSpec{
			startingWith("stuck", func(*actor.Self) error { <-release; return nil }),
		}}, 3*time.Second)
		r.cancel()
		var stop *supervisor.StopError
		if err := <-r.result; !errors.As(err, &stop) || len(stop.Killed) != 2 {
			t.Errorf("Run returns %v, want a StopError with root and stuck", err)
		}
		close(release)
		f.idle()
		if s := f.sys.Stats(); s.Processes != 0 || s.Zombies != 0 {
			t.Errorf("%d processes and %d zombies are left", s.Processes, s.Zombies)
		}
	})
}

// TestRunRollsBackAStartThatIsInterrupted: ctx ends in an Init that heeds it.
func TestRunRollsBackAStartThatIsInterrupted(t *testing.T) {
	bubble(t, func(f *fixture) {
		stopped := false
		r := f.run(supervisor.Spec{Children: []supervisor.ChildSpec{
			named("first", &worker{terminate: func(*actor.Self, error) { stopped = true }}),
			startingWith("second", func(self *actor.Self) error { <-self.Context().Done(); return self.Context().Err() }),
		}}, 0)
		r.cancel()
		if err := <-r.result; err != nil {
			t.Errorf("Run returns %v, want nil", err)
		}
		if !stopped {
			t.Error("the first child was not stopped")
		}
	})
}

// TestRunWaitsForTheTreeWheneverItsContextEnds lets ctx end in the last moments
// of the start, sometimes before and sometimes after them.
func TestRunWaitsForTheTreeWheneverItsContextEnds(t *testing.T) {
	for pause := range 300 {
		bubble(t, func(f *fixture) {
			ctx, cancel := context.WithCancel(f.ctx)
			stopped := false
			slow := &worker{
				init: func(self *actor.Self) error {
					return self.Send(self.PID(), func(*actor.Self) {
						for range pause * 10 {
							_ = ctx.Err()
						}
						cancel()
					})
				},
				terminate: func(*actor.Self, error) {
					<-time.After(time.Second)
					stopped = true
				},
			}
			err := supervisor.Run(ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{named("slow", slow)}}, 0)
			if err != nil {
				t.Errorf("Run returns %v, want nil", err)
			}
			if _, alive := f.sys.Whereis("slow"); alive || !stopped {
				t.Fatal("Run returned before the tree was down")
			}
		})
	}
}

func TestRunReturnsWhenTheSystemIsClosed(t *testing.T) {
	bubble(t, func(f *fixture) {
		stopped := false
		slow := &worker{terminate: func(*actor.Self, error) { <-time.After(time.Second); stopped = true }}
		r := f.run(supervisor.Spec{Children: []supervisor.ChildSpec{named("slow", slow)}}, 0)
		closed := make(chan error, 1)
		go func() { closed <- f.sys.Close(context.Background()) }()
		f.wantError("Run", <-r.result, actor.ErrClosed)
		if !stopped {
			t.Error("Run returned before the tree was down")
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		f.wantError("Run in a closed system", supervisor.Run(f.ctx, f.sys, supervisor.Spec{}, 0), actor.ErrClosed)
	})
}
