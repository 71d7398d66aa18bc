package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// serving returns a transient child that is a plain function.
func serving(run func(context.Context) error) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: "service", Start: supervisor.Service(run), Restart: supervisor.Transient}
}

// untilDone is a service that heeds its context.
func untilDone(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestServiceEndsForTheReasonItsFunctionGives(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(context.Context) error
		want func(error) bool
	}{
		{"nil is normal", func(context.Context) error { return nil }, is(actor.ErrNormal)},
		{"an error is abnormal", func(context.Context) error { return errAbnormal }, is(errAbnormal)},
		{"a panic is contained", func(context.Context) error { panic(errAbnormal) }, func(err error) bool {
			var panicked *actor.PanicError
			return errors.As(err, &panicked) && panicked.Value == errAbnormal
		}},
		{"runtime.Goexit is contained", func(context.Context) error { runtime.Goexit(); return nil }, is(actor.ErrGoexit)},
		{"a context error of its own is abnormal", func(context.Context) error { return context.Canceled }, is(context.Canceled)},
	} {
		bubble(t, func(f *fixture) {
			child := serving(func(ctx context.Context) error { <-time.After(time.Second); return c.run(ctx) })
			child.Restart = supervisor.Temporary
			sup := f.supervise(supervisor.Spec{})
			w := f.watch("service", f.startChild(sup, child))
			if reason := w.wait(); !c.want(reason) {
				t.Errorf("%s: ended with %v", c.name, reason)
			}
		})
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func TestServiceIsToldByItsContextToEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(context.Context) error
		want error
	}{
		{"returning the context's error", untilDone, actor.ErrShutdown},
		{"returning nil", func(ctx context.Context) error { <-ctx.Done(); return nil }, actor.ErrShutdown},
		{"returning the cause", func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, actor.ErrShutdown},
		{"returning an error of its own", func(ctx context.Context) error { <-ctx.Done(); return errAbnormal }, errAbnormal},
	} {
		bubble(t, func(f *fixture) {
			var cause error
			child := serving(func(ctx context.Context) error {
				defer func() { cause = context.Cause(ctx) }()
				return c.run(ctx)
			})
			sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{child}})
			f.idle()
			w := f.watch("service", f.child(sup, "service").PID)
			began := time.Now()
			f.terminateChild(sup, "service")
			f.wantTook(c.name, began, 0)
			if reason := w.wait(); !errors.Is(reason, c.want) {
				t.Errorf("%s: ended with %v, want %v", c.name, reason, c.want)
			}
			if !errors.Is(cause, actor.ErrShutdown) {
				t.Errorf("%s: the cause was %v, want ErrShutdown", c.name, cause)
			}
		})
	}
}

// TestServiceMayTakeItsTimeToEnd: the child is not gone before its function has
// returned.
func TestServiceMayTakeItsTimeToEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{serving(func(ctx context.Context) error {
			<-ctx.Done()
			<-time.After(3 * time.Second)
			return nil
		})}})
		f.idle()
		w := f.watch("service", f.child(sup, "service").PID)
		began := time.Now()
		f.terminateChild(sup, "service")
		f.wantTook("stopping", began, 3*time.Second)
		f.wantEnd(w, actor.ErrShutdown)
	})
}

func TestServiceIsRestartedWhenItFails(t *testing.T) {
	bubble(t, func(f *fixture) {
		runs := make(chan int, 10)
		n := 0
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{serving(func(ctx context.Context) error {
			n++
			runs <- n
			if n == 1 {
				return errAbnormal
			}
			return untilDone(ctx)
		})}})
		f.idle()
		f.wantChildren(sup, "service running")
		if len(runs) != 2 {
			t.Errorf("the function ran %d times, want 2", len(runs))
		}
	})
}

// TestServiceThatIgnoresItsContextBecomesAZombie: it is killed after its
// Shutdown, given up after the kill grace, and named.
func TestServiceThatIgnoresItsContextBecomesAZombie(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{
			serving(func(context.Context) error { <-release; return nil }),
		}})
		f.idle()
		w := f.watch("service", f.child(sup, "service").PID)
		began := time.Now()
		f.terminateChild(sup, "service")
		f.wantTook("giving it up", began, supervisor.DefaultShutdown+actor.DefaultKillGrace)
		f.wantEnd(w, actor.ErrZombie)
		if n := f.sys.Stats().Zombies; n != 1 {
			t.Errorf("%d zombies, want 1", n)
		}
		close(release)
		f.idle()
		if n := f.sys.Stats().Zombies; n != 0 {
			t.Errorf("%d zombies after the function has returned", n)
		}
	})
}

// TestAKilledServiceEndsWithItsFunction: the replacement does not start beside
// a function that takes its time.
func TestAKilledServiceEndsWithItsFunction(t *testing.T) {
	bubble(t, func(f *fixture) {
		running := 0
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{serving(func(ctx context.Context) error {
			if running++; running != 1 {
				t.Errorf("%d functions run at once", running)
			}
			<-ctx.Done()
			<-time.After(actor.DefaultKillGrace / 2)
			running--
			return nil
		})}})
		f.idle()
		f.kill(f.child(sup, "service").PID)
		f.wantChildren(sup, "service running")
	})
}

func TestServiceTakesNoMessages(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{serving(untilDone)}})
		pid := f.child(sup, "service").PID
		if err := f.sys.Send(pid, "hello"); err != nil {
			t.Fatal(err)
		}
		f.wantAlive("the service", pid)
	})
}

func TestServiceNeedsAFunction(t *testing.T) {
	wantMistakes(t, (&supervisor.ChildSpec{ID: "s", Start: supervisor.Service(nil)}).Validate(supervisor.Never),
		`child "s": no Start`)
}
