package protoactor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a bridged pair of systems, and a log of what happens on it.
type stage struct {
	t      *testing.T
	sys    *actor.System
	bridge *protoactor.Bridge
	mu     sync.Mutex
	log    []string
}

// bubble runs f on a stage in virtual time.
func bubble(t *testing.T, f func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// After everything else: the library lets a goroutine wait for a second
		// after a dead letter.
		t.Cleanup(func() { time.Sleep(2 * time.Second) })
		f(t, newStage(t))
	})
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t}
	sys, err := actor.NewSystem(actor.Config{Constructors: map[string]actor.Constructor{"echo": s.construct}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	bridge, err := protoactor.Attach(t.Context(), protoactor.Config{System: sys})
	if err != nil {
		t.Fatal(err)
	}
	s.sys, s.bridge = sys, bridge
	return s
}

// construct is what may be spawned by name, in the place of a kind.
func (s *stage) construct(args any) (actor.Actor, []actor.SpawnOption, error) {
	return s.bridge.New(s.echo(args.(string))), nil, nil
}

func (s *stage) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what)
}

func (s *stage) noted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// supervise starts children under a supervisor that tolerates n restarts.
func (s *stage) supervise(n int, children ...supervisor.ChildSpec) actor.PID {
	s.t.Helper()
	sup, err := supervisor.Spawn(s.t.Context(), s.sys, supervisor.Spec{
		Intensity: supervisor.AtMost(n), Period: time.Hour, Children: children,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sup
}

// child starts one actor under a supervisor and returns its process.
func (s *stage) child(props *proto.Props, opts ...actor.SpawnOption) (sup, pid actor.PID) {
	s.t.Helper()
	sup = s.supervise(3, supervisor.ChildSpec{ID: "child", Start: s.bridge.Child(props, opts...)})
	return sup, s.childOf(sup)
}

func (s *stage) childOf(sup actor.PID) actor.PID {
	s.t.Helper()
	info, err := supervisor.WhichChild(s.t.Context(), s.sys, sup, "child")
	if err != nil {
		s.t.Fatal(err)
	}
	return info.PID
}

// end returns why the process pid ends.
func (s *stage) end(pid actor.PID) <-chan error {
	s.t.Helper()
	reason := make(chan error, 1)
	_, err := s.sys.Spawn(s.t.Context(), &watcher{pid, reason})
	if err != nil {
		s.t.Fatal(err)
	}
	return reason
}

type watcher struct {
	of     actor.PID
	reason chan<- error
}

func (w *watcher) Init(self *actor.Self) error {
	self.Monitor(w.of)
	return nil
}

func (w *watcher) Receive(_ *actor.Self, msg any) error {
	if down, ok := msg.(actor.Down); ok {
		w.reason <- down.Reason
		return actor.ErrNormal
	}
	return nil
}

// call is an actor.Call of text.
func (s *stage) call(to actor.Address, req any) string {
	s.t.Helper()
	text, err := actor.Call[string](s.t.Context(), s.sys, to, req)
	if err != nil {
		s.t.Fatalf("call of %v with %v: %v", to, req, err)
	}
	return text
}

// echo is an actor of theirs that notes its life and answers what it is sent.
// "panic" makes it panic.
func (s *stage) echo(name string) *proto.Props {
	return proto.PropsFromFunc(func(ctx proto.Context) {
		switch m := ctx.Message().(type) {
		case *proto.Started:
			s.note(name + " started")
		case *proto.Restarting:
			s.note(name + " restarting")
		case *proto.Stopping:
			s.note(name + " stopping")
		case *proto.Stopped:
			s.note(name + " stopped")
		case *proto.Terminated:
			s.note(name + " saw " + m.Who.Id + " " + m.Why.String())
		case string:
			if m == "panic" {
				panic(errPlanned)
			}
			if ctx.Sender() != nil {
				ctx.Respond(name + " " + m)
			} else {
				s.note(name + " got " + m)
			}
		}
	})
}

var errPlanned = errors.New("planned")

func (s *stage) expect(want ...string) {
	s.t.Helper()
	got := s.noted()
	if len(got) != len(want) {
		s.t.Fatalf("log is %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Fatalf("log is %q, want %q", got, want)
		}
	}
}
