package statem_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/statem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is longer than anything in a bubble takes that is to happen.
const soon = 10 * time.Second

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("other reason")
)

// The machine of OTP's gen_statem_SUITE: a connection that is asked for,
// confirmed, used and closed.
const (
	idle      = "idle"
	wforConf  = "wfor_conf"
	connected = "connected"
)

type (
	connect       struct{}
	confirm       struct{}
	disconnect    struct{}
	where         struct{} // call: in which state?
	delayedAnswer struct{ d time.Duration }
	stopWith      struct{ reason error } // call: replies "stopped" and stops
	badAction     struct{}               // asks for what is not possible
)

const confTimeout = 5 * time.Second

// line is that machine.
type line struct {
	refused error
	slow    time.Duration
	ended   func(state string, reason error)
}

func (l *line) init(t *statem.Turn[string]) (string, error) {
	if l.slow > 0 {
		select {
		case <-time.After(l.slow):
		case <-t.Self().Context().Done():
			return "", context.Cause(t.Self().Context())
		}
	}
	return idle, l.refused
}

// always is what is the same in all states.
func (l *line) always(t *statem.Turn[string], e statem.Event) error {
	switch c := e.Content.(type) {
	case where:
		return t.Reply(t.State())
	case delayedAnswer:
		t.Timeout(t.From(), c.d, "delayed")
	case stopWith:
		_ = t.Reply("stopped")
		return c.reason
	case badAction:
		t.Insert(statem.Event{Kind: 99})
	}
	if e.Kind == statem.Timeout {
		e.Name.(actor.From).Reply(e.Content)
	}
	return nil
}

func (l *line) idle(t *statem.Turn[string], e statem.Event) error {
	if e.Content == (connect{}) {
		t.Next(wforConf)
		t.StateTimeout(confTimeout, nil)
		return t.Reply("accept")
	}
	return l.always(t, e)
}

func (l *line) wforConf(t *statem.Turn[string], e statem.Event) error {
	switch {
	case e.Content == (confirm{}):
		t.Next(connected)
		return t.Reply("yes")
	case e.Kind == statem.StateTimeout:
		t.Next(idle)
		return nil
	case e.Content == (connect{}):
		t.Postpone() // for when the line is free again
		return nil
	}
	return l.always(t, e)
}

func (l *line) connected(t *statem.Turn[string], e statem.Event) error {
	switch e.Content.(type) {
	case disconnect:
		t.Next(idle)
		return t.Reply("yes")
	case connect:
		t.Postpone()
		return nil
	}
	return l.always(t, e)
}

func (l *line) end(t *statem.Turn[string], reason error) {
	if l.ended != nil {
		l.ended(t.State(), reason)
	}
}

// handled is a line with one function for all states.
type handled struct{ line }

func (h *handled) Init(t *statem.Turn[string]) (string, error) { return h.init(t) }

func (h *handled) Handle(t *statem.Turn[string], e statem.Event) error {
	switch t.State() {
	case idle:
		return h.idle(t, e)
	case wforConf:
		return h.wforConf(t, e)
	}
	return h.connected(t, e)
}

func (h *handled) Terminate(t *statem.Turn[string], reason error) { h.end(t, reason) }

// styles are the two ways to write the machine.
func styles() map[string]func(line) actor.Actor {
	return map[string]func(line) actor.Actor{
		"handle event": func(l line) actor.Actor { return statem.New[string](&handled{l}) },
		"state functions": func(l line) actor.Actor {
			return statem.New(statem.Functions(l.init, map[string]statem.State[string]{
				idle:      {Handle: l.idle},
				wforConf:  {Handle: l.wforConf},
				connected: {Handle: l.connected},
			}))
		},
	}
}

// fixture is a system in a bubble with a probe in it.
type fixture struct {
	*testing.T
	sys   *actor.System
	probe *actortest.Probe
	make  func(line) actor.Actor // in one of the styles
}

func bubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		test(&fixture{T: t, sys: sys, probe: actortest.NewProbe(t, sys)})
	})
}

// inBoth runs test for each style.
func inBoth(t *testing.T, test func(f *fixture)) {
	t.Helper()
	for name, style := range styles() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				f.make = style
				test(f)
			})
		})
	}
}

func (f *fixture) spawn(a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	f.Helper()
	pid, err := f.sys.Spawn(f.Context(), a, opts...)
	if err != nil {
		f.Fatalf("spawn: %v", err)
	}
	return pid
}

func (f *fixture) ask(to actor.Address, req any) (any, error) {
	return actor.Call[any](f.Context(), f.sys, to, req)
}

// want calls and fails the test unless the answer is want.
func (f *fixture) want(to actor.Address, req, want any) {
	f.Helper()
	if got, err := f.ask(to, req); got != want || err != nil {
		f.Errorf("%T: %v, %v; want %v", req, got, err, want)
	}
}

func (f *fixture) wantFailed(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

// wantWorks goes once round with the line. It runs in a bubble.
func (f *fixture) wantWorks(to actor.Address) {
	f.Helper()
	f.want(to, where{}, idle)
	f.want(to, connect{}, "accept")
	f.want(to, where{}, wforConf)
	f.want(to, confirm{}, "yes")
	f.want(to, where{}, connected)
	f.want(to, disconnect{}, "yes")
	f.want(to, where{}, idle)
	f.want(to, connect{}, "accept")
	time.Sleep(confTimeout)
	synctest.Wait()
	f.want(to, where{}, idle)
}

func (f *fixture) wantStops(to actor.Address) {
	f.Helper()
	f.want(to, stopWith{actor.ErrNormal}, "stopped")
	synctest.Wait()
	_, err := f.ask(to, where{})
	f.wantFailed("call of a machine that is gone", err, actor.ErrNoProc)
}

// script is a machine whose functions are given by the test: OTP's map_statem.
type script[S comparable] struct {
	init   func(t *statem.Turn[S]) (S, error)
	handle func(t *statem.Turn[S], e statem.Event) error
}

func (s *script[S]) Init(t *statem.Turn[S]) (S, error) {
	if s.init == nil {
		var none S
		return none, nil
	}
	return s.init(t)
}

func (s *script[S]) Handle(t *statem.Turn[S], e statem.Event) error { return s.handle(t, e) }

// entering is a script with Enter.
type entering[S comparable] struct {
	script[S]
	enter func(t *statem.Turn[S], old S) error
}

func (s *entering[S]) Enter(t *statem.Turn[S], old S) error { return s.enter(t, old) }
