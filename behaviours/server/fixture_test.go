package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

// soon is longer than anything in a bubble takes that is to happen.
const soon = 10 * time.Second

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("other reason")
)

// The messages that the server of OTP's suite understands.
type (
	startedP      struct{}                  // call: answers "ok"
	delayedAnswer struct{ d time.Duration } // call: answers "delayed" after d
	callWithin    struct{ d time.Duration } // call: asks for a timeout
	nextCall      struct{}                  // call: did it come within that time?
	stopWith      struct{ reason error }    // call: answers "ok" and stops; cast and info: stops
	failWith      struct{ reason error }    // call: stops without an answer
	crashNow      struct{}                  // panics
	tell          struct {                  // cast: sends what to to
		to   actor.PID
		what any
	}
)

// answerTo is the message of the timer behind a delayed answer.
type answerTo struct{ from actor.From }

// suite is the server of OTP's gen_server_SUITE.
type suite struct {
	refused error
	slow    time.Duration
	timely  bool
	ended   func(error)
}

func (s *suite) Init(self *actor.Self) (server.Next, error) {
	if s.slow > 0 {
		select {
		case <-time.After(s.slow):
		case <-self.Context().Done():
			return server.Next{}, context.Cause(self.Context())
		}
	}
	return server.Next{}, s.refused
}

func (s *suite) HandleCall(self *actor.Self, req any) (server.Next, error) {
	switch r := req.(type) {
	case startedP:
		return server.Next{}, self.Reply("ok")
	case delayedAnswer:
		self.SendAfter(r.d, answerTo{self.From()})
	case callWithin:
		s.timely = true
		return server.Next{Timeout: r.d}, self.Reply("ok")
	case nextCall:
		return server.Next{}, self.Reply(s.timely)
	case stopWith:
		return server.Next{Final: "ok"}, r.reason
	case failWith:
		return server.Next{}, r.reason
	case crashNow:
		panic("crashed")
	}
	return server.Next{}, nil
}

func (s *suite) HandleTimeout(*actor.Self) (server.Next, error) {
	s.timely = false
	return server.Next{}, nil
}

func (s *suite) HandleCast(self *actor.Self, msg any) (server.Next, error) {
	switch m := msg.(type) {
	case answerTo:
		m.from.Reply("delayed")
	case tell:
		return server.Next{}, self.Send(m.to, m.what)
	case stopWith:
		return server.Next{}, m.reason
	}
	return server.Next{}, nil
}

func (s *suite) Terminate(_ *actor.Self, reason error) {
	if s.ended != nil {
		s.ended(reason)
	}
}

// fixture is a system in a bubble with a probe in it.
type fixture struct {
	*testing.T
	sys   *actor.System
	probe *actortest.Probe
}

func bubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		test(&fixture{t, sys, actortest.NewProbe(t, sys)})
	})
}

// spawn starts a server from outside any process.
func (f *fixture) spawn(s server.Server, opts ...actor.SpawnOption) actor.PID {
	f.Helper()
	pid, err := f.sys.Spawn(f.Context(), server.New(s), opts...)
	if err != nil {
		f.Fatalf("spawn: %v", err)
	}
	return pid
}

// ask calls a server from outside.
func (f *fixture) ask(to actor.Address, req any) (string, error) {
	return actor.Call[string](f.Context(), f.sys, to, req)
}

// wantOK fails the test unless the server answers.
func (f *fixture) wantOK(to actor.Address) {
	f.Helper()
	if got, err := f.ask(to, startedP{}); got != "ok" || err != nil {
		f.Errorf("call of %v: %q, %v; want ok", to, got, err)
	}
}

// wantFailed fails the test unless err wraps want.
func (f *fixture) wantFailed(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}
