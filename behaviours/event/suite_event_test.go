package event_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/event"
)

// reacts goes through what handlers can do about an event, which say tells them.
func reacts(f *fixture, say func(what any)) {
	f.Helper()
	f.add("dummy")
	say("hello")
	f.wantHappened("dummy", "hello")
	say(swapTo{"dummy1"})
	f.wantHappened("dummy", event.End{Reason: event.ErrSwapped, Arg: "swap"})
	f.wantHandlers("dummy1")
	say("again")
	f.wantHappened("dummy1", "again")
	say(remove{})
	f.wantEnd("dummy1", event.ErrRemoved)
	f.wantHandlers()
	f.add("dummy")
	say(fail{})
	f.wantEnd("dummy", errFaulty)
	f.wantHandlers()

	f.addSupervised("dummy")
	say(swapTo{"dummy1"})
	f.wantEnd("dummy", event.ErrSwapped)
	say(remove{})
	f.wantExit("dummy1", actor.ErrNormal)
	f.wantEnd("dummy1", event.ErrRemoved)
	f.addSupervised("dummy")
	say(fail{})
	f.wantExit("dummy", errFaulty)
	f.wantEnd("dummy", errFaulty)
	f.addSupervised("dummy")
	say(crash{})
	f.wantPanicked("dummy")
	f.wantHandlers()
}

func TestNotify(t *testing.T) {
	bubble(t, func(f *fixture) {
		reacts(f, func(what any) {
			if err := event.Notify(f.sys, f.mgr, what); err != nil {
				f.Error(err)
			}
		})
	})
}

func TestSyncNotify(t *testing.T) {
	bubble(t, func(f *fixture) {
		reacts(f, func(what any) {
			if err := event.SyncNotify(f.Context(), f.sys, f.mgr, what); err != nil {
				f.Error(err)
			}
		})
	})
}

func TestSyncNotifyWaitsForAllHandlers(t *testing.T) {
	bubble(t, func(f *fixture) {
		for _, id := range []event.ID{"a", "b", "c"} {
			_ = event.Add(f.Context(), f.sys, f.mgr, id, event.On(func(_ *actor.Self, d time.Duration) (event.Next, error) {
				time.Sleep(d)
				return event.Next{}, nil
			}))
		}
		began := time.Now()
		_ = event.Notify(f.sys, f.mgr, 500*time.Millisecond)
		if took := time.Since(began); took > 0 {
			f.Errorf("notify took %v", took)
		}
		if err := event.SyncNotify(f.Context(), f.sys, f.mgr, 500*time.Millisecond); err != nil {
			f.Error(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			f.Errorf("both took %v", took)
		}
		// A handler only of durations has nothing to do with other events.
		if err := event.SyncNotify(f.Context(), f.sys, f.mgr, "other"); err != nil {
			f.Error(err)
		}
	})
}

// The kernel's messages go to those that want them.
func TestInfo(t *testing.T) {
	bubble(t, func(f *fixture) {
		_ = event.Add(f.Context(), f.sys, f.mgr, "deaf", event.On(func(*actor.Self, any) (event.Next, error) {
			f.Error("a message of the kernel's is no event")
			return event.Next{}, nil
		}))
		defer func() { _, _ = event.Delete(f.Context(), f.sys, f.mgr, "deaf", nil) }()
		f.add("dummy")
		_ = f.log.Exit(f.mgr, errBoom)
		f.wantHappened("dummy", errBoom)
		_ = f.log.Exit(f.mgr, orderly{swapTo{"dummy1"}})
		f.wantEnd("dummy", event.ErrSwapped)
		_ = f.log.Exit(f.mgr, orderly{fail{}})
		f.wantEnd("dummy1", errFaulty)
		f.addSupervised("dummy")
		_ = f.log.Exit(f.mgr, orderly{crash{}})
		f.wantPanicked("dummy")
		f.wantHandlers("deaf")
	})
}

func TestCall(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("dummy")
		f.add("dummy/1")
		_, err := event.Call[string](f.Context(), f.sys, actor.Name("non_exist"), "dummy", hejsan{})
		f.wantFailed("call of no manager", err, actor.ErrNoProc)
		_, err = f.call("bad", hejsan{})
		f.wantFailed("call of no handler", err, event.ErrNoHandler)
		for _, id := range []event.ID{"dummy", "dummy/1"} {
			if got, err := f.call(id, hejsan{}); got != "hejhopp" || err != nil {
				f.Errorf("call: %q, %v", got, err)
			}
		}
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err = event.Call[string](ctx, f.sys, f.mgr, "dummy", aMinute{})
		f.wantFailed("call with a timeout", err, actor.ErrTimeout)
		_, _ = event.Delete(f.Context(), f.sys, f.mgr, "dummy/1", nil)
		f.wantEnd("dummy/1", event.ErrDeleted)

		if got, err := f.call("dummy", swapTo{"dummy1"}); got != "ok" || err != nil {
			f.Errorf("call that swaps: %q, %v", got, err)
		}
		f.wantHandlers("dummy1")
		if got, err := f.call("dummy1", remove{}); got != "ok" || err != nil {
			f.Errorf("call that removes: %q, %v", got, err)
		}
		f.wantHandlers()

		f.addSupervised("dummy")
		_, err = f.call("dummy", fail{})
		f.wantFailed("call that fails", err, errFaulty)
		f.wantExit("dummy", errFaulty)
		f.addSupervised("dummy")
		_, err = f.call("dummy", crash{})
		var panicked *actor.PanicError
		if !errors.As(err, &panicked) {
			f.Errorf("call that crashes: %v", err)
		}
		f.wantPanicked("dummy")
		f.wantHandlers()
		_ = event.Add(f.Context(), f.sys, f.mgr, "plain", event.On(func(*actor.Self, int) (event.Next, error) { return event.Next{}, nil }))
		_, err = f.call("plain", hejsan{})
		f.wantFailed("call of a handler without calls", err, event.ErrNoCalls)
		f.wantHandlers("plain")
	})
}

func TestCrashOfOneHandlerLeavesTheOthersAlone(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("before")
		_ = event.Add(f.Context(), f.sys, f.mgr, "bad", event.On(func(*actor.Self, int) (event.Next, error) { panic(errBoom) }))
		f.add("after")
		_ = event.Notify(f.sys, f.mgr, 1)
		f.wantHappened("before", 1)
		f.wantHappened("after", 1)
		f.wantHandlers("before", "after")
	})
}

// wicked is a handler that panics in one place.
type wicked struct{ in string }

func (w *wicked) trip(place string) {
	if w.in == place {
		panic(errBoom)
	}
}

func (w *wicked) Init(*actor.Self) error { w.trip("init"); return nil }

func (w *wicked) Inherit(*actor.Self, any) error { w.trip("inherit"); return nil }

func (w *wicked) HandleEvent(*actor.Self, any) (event.Next, error) { return event.Next{}, nil }

func (w *wicked) Terminate(*actor.Self, event.End) any { w.trip("terminate"); return 1 }

func TestPanicsOfHandlersNeverEndTheManager(t *testing.T) {
	bubble(t, func(f *fixture) {
		var panicked *actor.PanicError
		if err := event.Add(f.Context(), f.sys, f.mgr, "x", &wicked{"init"}); !errors.As(err, &panicked) {
			f.Errorf("add: %v", err)
		}
		if err := event.Add(f.Context(), f.sys, f.mgr, "x", &wicked{"terminate"}); err != nil {
			f.Error(err)
		}
		if got, err := event.Delete(f.Context(), f.sys, f.mgr, "x", nil); got != nil || err != nil {
			f.Errorf("delete: %v, %v", got, err)
		}
		f.add("y")
		if err := event.Replace(f.Context(), f.sys, f.mgr, "y", event.Swap{Handler: &wicked{"inherit"}}); !errors.As(err, &panicked) {
			f.Errorf("replace: %v", err)
		}
		f.wantHandlers()
	})
}

func TestHandlerThatSwapsToATakenIDIsRemoved(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.add("taken")
		f.addSupervised("dummy")
		if _, err := f.call("dummy", swapTo{"taken"}); err != nil {
			f.Error(err)
		}
		f.wantExit("dummy", event.ErrExists)
		f.wantEnd("dummy", event.ErrExists)
		f.wantHandlers("taken")
	})
}
