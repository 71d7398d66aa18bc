package supervisor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestMain(m *testing.M) {
	if reexecuted() {
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	errAbnormal = errors.New("abnormal")
	errRefused  = errors.New("refused")
)

// fixture is a system in a synctest bubble, and what tests do with it.
type fixture struct {
	*testing.T
	sys *actor.System
	ctx context.Context
}

// bubble runs test in a synctest bubble: time is virtual, and idle returns when
// nothing happens any more.
func bubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		test(&fixture{t, sys, t.Context()})
		if err := sys.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func (f *fixture) idle() { synctest.Wait() }

// retried waits until the retries of failed restarts are over too: they are
// timers that are due at once, that is a nanosecond later.
func (f *fixture) retried() {
	<-time.After(time.Microsecond)
	synctest.Wait()
}

func (f *fixture) supervise(spec supervisor.Spec, opts ...actor.SpawnOption) actor.PID {
	f.Helper()
	pid, err := supervisor.Spawn(f.ctx, f.sys, spec, opts...)
	if err != nil {
		f.Fatalf("supervisor did not start: %v", err)
	}
	return pid
}

func (f *fixture) startChild(sup actor.PID, spec supervisor.ChildSpec) actor.PID {
	f.Helper()
	pid, err := supervisor.StartChild(f.ctx, f.sys, sup, spec)
	if err != nil {
		f.Fatalf("StartChild(%q): %v", spec.ID, err)
	}
	return pid
}

func (f *fixture) startInstance(sup actor.PID, args ...any) actor.PID {
	f.Helper()
	pid, err := supervisor.StartInstance(f.ctx, f.sys, sup, args...)
	if err != nil {
		f.Fatalf("StartInstance: %v", err)
	}
	return pid
}

func (f *fixture) restartChild(sup actor.PID, id string) actor.PID {
	f.Helper()
	pid, err := supervisor.RestartChild(f.ctx, f.sys, sup, id)
	if err != nil {
		f.Fatalf("RestartChild(%q): %v", id, err)
	}
	return pid
}

func (f *fixture) terminateChild(sup actor.PID, id string) {
	f.Helper()
	if err := supervisor.TerminateChild(f.ctx, f.sys, sup, id); err != nil {
		f.Fatalf("TerminateChild(%q): %v", id, err)
	}
}

func (f *fixture) update(sup actor.PID, spec supervisor.Spec) {
	f.Helper()
	if err := supervisor.UpdateSpec(f.ctx, f.sys, sup, spec); err != nil {
		f.Fatalf("UpdateSpec: %v", err)
	}
}

func (f *fixture) which(sup actor.PID) []supervisor.ChildInfo {
	f.Helper()
	list, err := supervisor.WhichChildren(f.ctx, f.sys, sup)
	if err != nil {
		f.Fatalf("WhichChildren: %v", err)
	}
	return list
}

// child returns what is known of one child.
func (f *fixture) child(sup actor.PID, id string) supervisor.ChildInfo {
	f.Helper()
	info, err := supervisor.WhichChild(f.ctx, f.sys, sup, id)
	if err != nil {
		f.Fatalf("WhichChild(%q): %v", id, err)
	}
	return info
}

// wantChildren checks which children there are, in order, as "id status".
func (f *fixture) wantChildren(sup actor.PID, want ...string) {
	f.Helper()
	var got []string
	for _, c := range f.which(sup) {
		got = append(got, c.ID+" "+c.Status.String())
		if (c.Status == supervisor.Running) == c.PID.IsZero() {
			f.Errorf("%s child %q has PID %v", c.Status, c.ID, c.PID)
		}
		if !c.PID.IsZero() && !f.sys.Alive(c.PID) {
			f.Errorf("child %q is said to be running and is dead", c.ID)
		}
	}
	if !slices.Equal(got, want) {
		f.Errorf("children are %q, want %q", got, want)
	}
}

func (f *fixture) wantCounts(sup actor.PID, specs, active, supervisors, workers int) {
	f.Helper()
	got, err := supervisor.CountChildren(f.ctx, f.sys, sup)
	want := supervisor.Counts{Specs: specs, Active: active, Supervisors: supervisors, Workers: workers}
	if err != nil || got != want {
		f.Errorf("CountChildren = %+v, %v; want %+v", got, err, want)
	}
}

// wantError checks the error of an operation.
func (f *fixture) wantError(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s fails with %v, want %v", what, err, want)
	}
}

// wantEnd waits until a watched process has ended, and checks the reason.
func (f *fixture) wantEnd(w *watch, reason error) {
	f.Helper()
	if got := w.wait(); !errors.Is(got, reason) {
		f.Errorf("%s ended with %v, want %v", w.what, got, reason)
	}
}

func (f *fixture) wantAlive(what string, pid actor.PID) {
	f.Helper()
	f.idle()
	if !f.sys.Alive(pid) {
		f.Errorf("%s is dead", what)
	}
}

// watch waits for the end of a process.
type watch struct {
	what string
	down chan error
}

// wait returns the reason of the end.
func (w *watch) wait() error { return <-w.down }

func (f *fixture) watch(what string, pid actor.PID) *watch {
	f.Helper()
	w := &watch{what, make(chan error, 1)}
	_, err := f.sys.Spawn(f.ctx, &watcher{pid, w})
	if err != nil {
		f.Fatal(err)
	}
	return w
}

type watcher struct {
	of actor.PID
	w  *watch
}

func (w *watcher) Init(self *actor.Self) error { self.Monitor(w.of); return nil }

func (w *watcher) Receive(_ *actor.Self, msg any) error {
	if down, ok := msg.(actor.Down); ok {
		w.w.down <- down.Reason
		return actor.ErrNormal
	}
	return nil
}

// end lets a worker end with reason, and returns when its supervisor knows.
func (f *fixture) end(pid actor.PID, reason error) {
	f.Helper()
	w := f.watch("worker", pid)
	if err := f.sys.Send(pid, reason); err != nil {
		f.Fatalf("send to worker: %v", err)
	}
	f.wantEnd(w, reason)
}

// kill kills a process, and returns when its supervisor knows.
func (f *fixture) kill(pid actor.PID) {
	f.Helper()
	w := f.watch("killed process", pid)
	if err := f.sys.Kill(pid); err != nil {
		f.Fatalf("kill: %v", err)
	}
	f.wantEnd(w, actor.ErrKilled)
}

// stop tells a supervisor to end and waits until it has.
func (f *fixture) stop(sup actor.PID) {
	f.Helper()
	w := f.watch("supervisor", sup)
	if err := f.sys.Exit(sup, actor.ErrShutdown); err != nil {
		f.Fatal(err)
	}
	f.wantEnd(w, actor.ErrShutdown)
}

// outside returns a fixture without a bubble, for tests that measure or race.
func outside(t *testing.T) *fixture {
	t.Helper()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &fixture{t, sys, context.Background()}
}
