package actor_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// This covers what can unwind a handler and its Terminate.
func TestUnwoundHandlerEndsTheProcessWithTheCauseAsReason(t *testing.T) {
	isPanic := func(value any) func(error) bool {
		return func(err error) bool {
			var p *actor.PanicError
			return errors.As(err, &p) && p.Value == value && strings.HasPrefix(p.Stack(), "github.com/topos-go/topos/actor_test.")
		}
	}
	isNilPanic := func(err error) bool {
		var p *runtime.PanicNilError
		return errors.As(err, &p)
	}
	isGoexit := func(err error) bool { return err == actor.ErrGoexit }
	for name, c := range map[string]struct {
		unwind func()
		is     func(error) bool
	}{
		"panic":     {func() { panic("oops") }, isPanic("oops")},
		"panic nil": {func() { panic(nil) }, isNilPanic}, // that is the point
		"goexit":    {runtime.Goexit, isGoexit},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				var seen error
				pid := spawn(t, sys, &scripted{terminate: func(_ *actor.Self, reason error) { seen = reason }}, actor.Name("x"))
				probe.Monitor(pid)
				tell(t, sys, pid, do(func(*actor.Self) error { c.unwind(); return nil }))
				down := actortest.Expect[actor.Down](probe, soon)
				if !c.is(down.Reason) || seen != down.Reason {
					t.Errorf("Receive: reason %v, Terminate saw %v", down.Reason, seen)
				}
				// The name is free again, and so is the worker.
				pid = spawn(t, sys, &scripted{terminate: func(*actor.Self, error) { c.unwind() }}, actor.Name("x"))
				probe.Monitor(pid)
				tell(t, sys, pid, errBoom)
				if down := actortest.Expect[actor.Down](probe, soon); !c.is(down.Reason) {
					t.Errorf("Terminate: reason %v", down.Reason)
				}
				synctest.Wait()
				if n := sys.Stats().Processes; n != 1 {
					t.Errorf("%d processes left", n)
				}
			})
		})
	}
}

func TestTerminateAfterAFailedCallHasNothingOfTheCall(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid := spawn(t, sys, &scripted{
			receive: func(*actor.Self, any) error { panic("oops") },
			terminate: func(self *actor.Self, _ error) {
				if _, ok := self.Context().Deadline(); ok || self.IsCall() || self.Context().Err() != nil {
					t.Errorf("deadline %v, call %v, context %v", ok, self.IsCall(), self.Context().Err())
				}
				_ = self.Reply("too late")
			},
		})
		var p *actor.PanicError
		if _, err := actor.Call[string](t.Context(), sys, pid, 1); !errors.As(err, &p) {
			t.Errorf("Call: %v", err)
		}
	})
}

func TestPanicErrorMadeByOthersHasTheStackOfThePanic(t *testing.T) {
	contain := func(f func()) (err *actor.PanicError) {
		made := func(v any) *actor.PanicError { return actor.NewPanicError(v) }
		defer func() { err = made(recover()) }()
		f()
		return nil
	}
	var none *actor.PanicError
	for name, f := range map[string]func(){
		"panic":       func() { panic("oops") },
		"dereference": func() { _ = none.Value },
		"index":       func() { _ = []int{}[len(name0)] },
	} {
		err := contain(f)
		if err.Value == nil || err.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
		if first, _, _ := strings.Cut(err.Stack(), "\n"); !strings.Contains(first, "TestPanicErrorMadeByOthersHasTheStackOfThePanic.func") ||
			!strings.Contains(err.Stack(), "panic_test.go") || strings.Contains(err.Stack(), "runtime.gopanic") {
			t.Errorf("%s: the stack begins with %q", name, first)
		}
	}
	if s := (&actor.PanicError{Value: "from another node"}).Stack(); s != "" {
		t.Errorf("a stack out of nothing: %q", s)
	}
}

const name0 = "one"
