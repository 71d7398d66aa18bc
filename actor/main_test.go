package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
	"unique"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is longer than anything in these tests takes. In a bubble it costs
// nothing unless the test fails.
const soon = 10 * time.Second

var (
	errBoom  = errors.New("boom")
	errOther = errors.New("other")
)

// bubble runs body in a synctest bubble with a system and a probe in it.
func bubble(t *testing.T, body func(t *testing.T, sys *actor.System, probe *actortest.Probe)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		body(t, sys, actortest.NewProbe(t, sys))
	})
}

// do is a message that a scripted actor carries out.
type do func(self *actor.Self) error

// scripted is an actor whose callbacks the test gives. It carries out do
// messages, ends with errors it is sent, and hands the rest to receive.
type scripted struct {
	init      func(self *actor.Self) error
	receive   func(self *actor.Self, msg any) error
	terminate func(self *actor.Self, reason error)
}

func (s *scripted) Init(self *actor.Self) error {
	if s.init == nil {
		return nil
	}
	return s.init(self)
}

func (s *scripted) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case do:
		return m(self)
	case error:
		return m
	}
	if s.receive == nil {
		return nil
	}
	return s.receive(self, msg)
}

func (s *scripted) Terminate(self *actor.Self, reason error) {
	if s.terminate != nil {
		s.terminate(self, reason)
	}
}

// spawn spawns a from outside or fails the test.
func spawn(t testing.TB, sys *actor.System, a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	t.Helper()
	pid, err := sys.Spawn(context.Background(), a, opts...)
	if err != nil {
		t.Fatalf("Spawn: %v", err)
	}
	return pid
}

// tell sends msg or fails the test.
func tell(t testing.TB, sys *actor.System, to actor.Address, msg any) {
	t.Helper()
	if err := sys.Send(to, msg); err != nil {
		t.Fatalf("Send %v: %v", msg, err)
	}
}

// perform lets the process at to run f, and waits for it.
func perform(t testing.TB, sys *actor.System, to actor.Address, f func(self *actor.Self)) {
	t.Helper()
	_, err := actor.Call[any](t.Context(), sys, to, do(func(self *actor.Self) error {
		f(self)
		return self.Reply(nil)
	}))
	if err != nil {
		t.Fatalf("perform: %v", err)
	}
}

// echo replies every request, and ends with errors it is sent.
func echo() actor.Actor {
	return &scripted{receive: func(self *actor.Self, msg any) error { return self.Reply(msg) }}
}

// stuck blocks in its handler until release is closed, whatever happens.
func stuck(release <-chan struct{}) do {
	return func(*actor.Self) error {
		<-release
		return nil
	}
}

// elsewhere is a node that nobody has heard of.
func elsewhere() actor.NodeHandle {
	return unique.Make(actor.NodeID{Name: "elsewhere", Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}})
}
