package event_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is longer than anything in a bubble takes that is to happen.
const soon = 10 * time.Second

var (
	errBoom    = errors.New("boom")
	errFaulty  = errors.New("faulty")
	errMade    = errors.New("my_error")
	errNoState = errors.New("non_existing")
)

// What the handlers of OTP's gen_event_SUITE do when they are told so, by an
// event, a call or a message.
type (
	swapTo  struct{ id event.ID } // another dummy, which inherits
	remove  struct{}
	fail    struct{}
	crash   struct{}
	hejsan  struct{} // call: answers "hejhopp"
	aMinute struct{} // call: does not answer
)

// dummy is that handler. It tells the test what happens to it.
type dummy struct {
	name    string
	tell    func(any)
	refused error
	state   any
	ends    any // what Terminate returns
}

// happened is what a dummy tells.
type happened struct {
	name string
	what any
}

func (d *dummy) Init(*actor.Self) error { return d.refused }

func (d *dummy) Inherit(_ *actor.Self, state any) error {
	if state == event.ErrNoHandler {
		return errNoState
	}
	d.state = state
	return d.refused
}

func (d *dummy) did(what any) { d.tell(happened{d.name, what}) }

func (d *dummy) do(msg any) (event.Next, error) {
	switch m := msg.(type) {
	case swapTo:
		return event.Next{Swap: &event.Swap{ID: m.id, Handler: d.other(string(m.id)), Arg: "swap"}}, nil
	case remove:
		return event.Next{Remove: true}, nil
	case fail:
		return event.Next{}, errFaulty
	case crash:
		panic("crashed")
	}
	d.did(msg)
	return event.Next{}, nil
}

func (d *dummy) other(name string) *dummy { return &dummy{name: name, tell: d.tell} }

func (d *dummy) HandleEvent(_ *actor.Self, event any) (event.Next, error) { return d.do(event) }

func (d *dummy) HandleInfo(_ *actor.Self, msg any) (event.Next, error) {
	if exit, ok := msg.(actor.Exit); ok {
		if order, ok := exit.Reason.(orderly); ok {
			return d.do(order.what)
		}
		return d.do(exit.Reason)
	}
	return d.do(msg)
}

// orderly is an exit reason that tells a dummy what to do.
type orderly struct{ what any }

func (orderly) Error() string { return "an order" }

func (d *dummy) HandleCall(self *actor.Self, req any) (event.Next, error) {
	switch req.(type) {
	case hejsan:
		return event.Next{}, self.Reply("hejhopp")
	case aMinute:
		self.From()
		return event.Next{}, nil
	}
	next, err := d.do(req)
	if err == nil {
		_ = self.Reply("ok")
	}
	return next, err
}

func (d *dummy) Terminate(_ *actor.Self, end event.End) any {
	d.did(end)
	if d.ends == nil {
		return end.Arg
	}
	return d.ends
}

// fixture is a system in a bubble with a probe, which owns handlers, and a
// manager in it.
type fixture struct {
	*testing.T
	sys   *actor.System
	probe *actortest.Probe
	log   *actortest.Probe // of what happens to dummies
	mgr   actor.PID
}

func bubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		f := &fixture{T: t, sys: sys, probe: actortest.NewProbe(t, sys), log: actortest.NewProbe(t, sys)}
		f.mgr = f.manager()
		test(f)
	})
}

func (f *fixture) manager(opts ...actor.SpawnOption) actor.PID {
	f.Helper()
	pid, err := f.sys.Spawn(f.Context(), event.New(), opts...)
	if err != nil {
		f.Fatal(err)
	}
	return pid
}

func (f *fixture) dummy(name string) *dummy {
	return &dummy{name: name, tell: func(what any) { _ = f.sys.Send(f.log.PID(), what) }}
}

func (f *fixture) add(id event.ID) {
	f.Helper()
	if err := event.Add(f.Context(), f.sys, f.mgr, id, f.dummy(string(id))); err != nil {
		f.Fatal(err)
	}
}

// addSupervised adds a handler that the probe owns.
func (f *fixture) addSupervised(id event.ID) {
	f.Helper()
	var err error
	f.probe.Do(func(self *actor.Self) error {
		err = event.AddSupervised(f.Context(), self, f.mgr, id, f.dummy(string(id)))
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantHandlers(want ...event.ID) {
	f.Helper()
	got, err := event.Which(f.Context(), f.sys, f.mgr)
	if err != nil || !slices.Equal(got, want) {
		f.Errorf("handlers %v, %v; want %v", got, err, want)
	}
}

// wantHappened fails the test unless that is what has happened to a dummy next.
func (f *fixture) wantHappened(name string, what any) {
	f.Helper()
	f.log.ExpectMessage(happened{name, what}, soon)
}

// wantEnd fails the test unless a dummy has been terminated next, with a reason
// that matches.
func (f *fixture) wantEnd(name string, reason error) {
	f.Helper()
	got := actortest.Expect[happened](f.log, soon)
	if end, ok := got.what.(event.End); !ok || got.name != name || !errors.Is(end.Reason, reason) {
		f.Errorf("happened: %v; want the end of %s because of %v", got, name, reason)
	}
}

// wantExit fails the test unless the probe has been told of the removal of its
// handler.
func (f *fixture) wantExit(id event.ID, reason error) {
	f.Helper()
	exit := actortest.Expect[event.HandlerExit](f.probe, soon)
	if exit.ID != id || exit.Manager != f.mgr || !errors.Is(exit.Reason, reason) {
		f.Errorf("owner was told %+v, want the end of %s because of %v", exit, id, reason)
	}
}

// wantPanicked is wantExit of a handler that has panicked.
func (f *fixture) wantPanicked(id event.ID) {
	f.Helper()
	var panicked *actor.PanicError
	if exit := actortest.Expect[event.HandlerExit](f.probe, soon); exit.ID != id || !errors.As(exit.Reason, &panicked) {
		f.Errorf("owner was told %+v, want a panic of %s", exit, id)
	}
}

func (f *fixture) wantFailed(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (f *fixture) call(id event.ID, req any) (string, error) {
	return event.Call[string](f.Context(), f.sys, f.mgr, id, req)
}

func (f *fixture) stop(reason error) {
	f.Helper()
	if err := event.Stop(context.Background(), f.sys, f.mgr, reason); err != nil {
		f.Error(err)
	}
}
