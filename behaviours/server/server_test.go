package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server whose callbacks are given by the test.
type script struct {
	init      func(*actor.Self) (server.Next, error)
	call      func(*actor.Self, any) (server.Next, error)
	cast      func(*actor.Self, any) (server.Next, error)
	terminate func(error)
}

func (s *script) Init(self *actor.Self) (server.Next, error) {
	if s.init == nil {
		return server.Next{}, nil
	}
	return s.init(self)
}

func (s *script) HandleCall(self *actor.Self, req any) (server.Next, error) { return s.call(self, req) }
func (s *script) HandleCast(self *actor.Self, msg any) (server.Next, error) { return s.cast(self, msg) }

func (s *script) Terminate(_ *actor.Self, reason error) {
	if s.terminate != nil {
		s.terminate(reason)
	}
}

// informed is a script that has all optional callbacks.
type informed struct {
	script
	info     func(*actor.Self, any) (server.Next, error)
	continu  func(*actor.Self, any) (server.Next, error)
	timedOut func(*actor.Self) (server.Next, error)
}

func (s *informed) HandleInfo(self *actor.Self, msg any) (server.Next, error) {
	return s.info(self, msg)
}
func (s *informed) HandleTimeout(self *actor.Self) (server.Next, error) { return s.timedOut(self) }
func (s *informed) HandleContinue(self *actor.Self, arg any) (server.Next, error) {
	return s.continu(self, arg)
}

func start(t *testing.T, s server.Server) (*actor.System, actor.PID) {
	t.Helper()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	pid, err := sys.Spawn(t.Context(), server.New(s))
	if err != nil {
		t.Fatal(err)
	}
	return sys, pid
}

func TestCallIsAnsweredByHandleCall(t *testing.T) {
	sys, pid := start(t, &script{call: func(self *actor.Self, req any) (server.Next, error) {
		return server.Next{}, self.Reply(req.(int) * 2)
	}})
	if got, err := actor.Call[int](t.Context(), sys, pid, 21); got != 42 || err != nil {
		t.Errorf("Call = %v, %v; want 42", got, err)
	}
}

func TestCastsAreHandledInOrderBeforeALaterCall(t *testing.T) {
	var seen []int
	sys, pid := start(t, &script{
		cast: func(_ *actor.Self, msg any) (server.Next, error) {
			seen = append(seen, msg.(int))
			return server.Next{}, nil
		},
		call: func(self *actor.Self, _ any) (server.Next, error) {
			return server.Next{}, self.Reply(append([]int(nil), seen...))
		},
	})
	for i := range 100 {
		if err := sys.Send(pid, i); err != nil {
			t.Fatal(err)
		}
	}
	got, err := actor.Call[[]int](t.Context(), sys, pid, "seen")
	if err != nil || len(got) != 100 {
		t.Fatalf("saw %d casts, %v; want 100", len(got), err)
	}
	for i, n := range got {
		if n != i {
			t.Fatalf("cast %d was %d", i, n)
		}
	}
}

func TestDeferredReplyIsGivenByALaterMessage(t *testing.T) {
	var waiting actor.From
	sys, pid := start(t, &script{
		call: func(self *actor.Self, _ any) (server.Next, error) {
			waiting = self.From()
			return server.Next{}, self.Send(self.PID(), "answer now")
		},
		cast: func(_ *actor.Self, msg any) (server.Next, error) {
			waiting.Reply(msg)
			return server.Next{}, nil
		},
	})
	if got, err := actor.Call[string](t.Context(), sys, pid, "?"); got != "answer now" || err != nil {
		t.Errorf("Call = %q, %v", got, err)
	}
}

func TestACallbackThatNeitherRepliesNorKeepsTheFromFailsTheCall(t *testing.T) {
	sys, pid := start(t, &script{call: func(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }})
	if _, err := actor.Call[int](t.Context(), sys, pid, "?"); !errors.Is(err, actor.ErrNoReply) {
		t.Errorf("Call fails with %v, want ErrNoReply", err)
	}
}

func TestAnErrorEndsTheServerAndEveryCallWithThatReason(t *testing.T) {
	broken := errors.New("broken")
	ended := make(chan error, 1)
	sys, pid := start(t, &script{
		call:      func(*actor.Self, any) (server.Next, error) { return server.Next{}, broken },
		terminate: func(reason error) { ended <- reason },
	})
	if _, err := actor.Call[int](t.Context(), sys, pid, "?"); !errors.Is(err, broken) {
		t.Errorf("Call fails with %v, want %v", err, broken)
	}
	if reason := <-ended; reason != broken {
		t.Errorf("Terminate got %v", reason)
	}
}

func TestContinueRunsBeforeMailThatWasThereFirst(t *testing.T) {
	var order []any
	s := &informed{}
	s.init = func(self *actor.Self) (server.Next, error) {
		return server.Next{Continue: 1}, self.Send(self.PID(), "mail")
	}
	s.continu = func(_ *actor.Self, arg any) (server.Next, error) {
		order = append(order, arg)
		if arg == 1 {
			return server.Next{Continue: 2}, nil
		}
		return server.Next{}, nil
	}
	s.cast = func(_ *actor.Self, msg any) (server.Next, error) {
		order = append(order, msg)
		return server.Next{}, nil
	}
	s.call = func(self *actor.Self, _ any) (server.Next, error) { return server.Next{}, self.Reply(order) }
	sys, pid := start(t, s)
	got, err := actor.Call[[]any](t.Context(), sys, pid, "order")
	if err != nil || len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != "mail" {
		t.Errorf("order = %v, %v; want [1 2 mail]", got, err)
	}
}

// A request that came during Init is none of the continue's: it is handled after.
func TestContinueOfInitHasNoRequestInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		var early *actor.Request[string]
		s := &informed{}
		s.init = func(self *actor.Self) (server.Next, error) {
			early = actor.SendRequest[string](t.Context(), sys, self.PID(), "early")
			return server.Next{Continue: 1}, nil
		}
		s.continu = func(self *actor.Self, _ any) (server.Next, error) {
			if self.IsCall() {
				t.Error("a request is in hand")
			}
			return server.Next{}, self.Reply("of the continue")
		}
		s.cast = func(_ *actor.Self, msg any) (server.Next, error) {
			t.Errorf("a cast that nobody has sent: %v", msg)
			return server.Next{}, nil
		}
		s.call = func(self *actor.Self, req any) (server.Next, error) {
			return server.Next{}, self.Reply("of " + req.(string))
		}
		if _, err := sys.Spawn(t.Context(), server.New(s)); err != nil {
			t.Fatal(err)
		}
		if got, err := early.Wait(t.Context()); got != "of early" || err != nil {
			t.Errorf("reply %q, %v", got, err)
		}
	})
}

func TestSpawnDoesNotWaitForTheContinueOfInitButMailDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []any
		s := &informed{}
		s.init = func(*actor.Self) (server.Next, error) { return server.Next{Continue: "the rest"}, nil }
		s.continu = func(_ *actor.Self, arg any) (server.Next, error) {
			time.Sleep(time.Hour)
			order = append(order, arg)
			return server.Next{}, nil
		}
		s.call = func(self *actor.Self, req any) (server.Next, error) {
			order = append(order, req)
			return server.Next{}, self.Reply(order)
		}
		began := time.Now()
		sys, pid := start(t, s)
		if took := time.Since(began); took > 0 {
			t.Errorf("spawn took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		got, err := actor.Call[[]any](ctx, sys, pid, "call")
		if err != nil || len(got) != 2 || got[0] != "the rest" || got[1] != "call" {
			t.Errorf("order = %v, %v", got, err)
		}
	})
}

func TestContinueOfInitComesFirstWhateverTheMailboxIsLike(t *testing.T) {
	for _, overflow := range []actor.Overflow{actor.OverflowFail, actor.OverflowDropNewest, actor.OverflowDropOldest} {
		for _, opts := range [][]actor.SpawnOption{
			{actor.Mailbox{Capacity: 1, Overflow: overflow}},
			{actor.Mailbox{Capacity: 1, Overflow: overflow}, actor.StashLimit(1)},
			{actor.Mailbox{Capacity: 3, Overflow: overflow}, actor.StashLimit(1)},
		} {
			t.Run(overflow.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var order []any
					note := func(_ *actor.Self, what any) (server.Next, error) {
						order = append(order, what)
						return server.Next{}, nil
					}
					s := &informed{}
					s.continu, s.cast = note, note
					s.init = func(self *actor.Self) (server.Next, error) {
						for i := range 3 {
							_ = self.Send(self.PID(), i)
						}
						return server.Next{Continue: "first"}, nil
					}
					sys, err := actor.NewSystem(actor.Config{})
					if err != nil {
						t.Fatal(err)
					}
					if _, err = sys.Spawn(t.Context(), server.New(s), opts...); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					if err := sys.Close(t.Context()); err != nil {
						t.Error(err)
					}
					if len(order) == 0 || order[0] != "first" {
						t.Errorf("order = %v", order)
					}
				})
			})
		}
	}
}

func TestTimeoutComesOnlyWhenNothingElseDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		fired := make(chan time.Duration, 8)
		s := &informed{}
		s.cast = func(*actor.Self, any) (server.Next, error) { return server.Next{Timeout: time.Second}, nil }
		s.timedOut = func(*actor.Self) (server.Next, error) {
			fired <- time.Since(began)
			return server.Next{}, nil
		}
		sys, pid := start(t, s)
		for range 3 { // each cast takes the last one's timeout back
			if err := sys.Send(pid, "keep awake"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(600 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if len(fired) != 1 {
			t.Fatalf("timed out %d times, want once", len(fired))
		}
		if at := <-fired; at != 2200*time.Millisecond {
			t.Errorf("timed out at %v, want 2.2s", at)
		}
	})
}

func TestInfoIsWhatTheKernelSends(t *testing.T) {
	s := &informed{}
	got := make(chan any, 1)
	s.init = func(self *actor.Self) (server.Next, error) {
		self.Monitor(actor.Name("nobody"))
		return server.Next{}, nil
	}
	s.info = func(_ *actor.Self, msg any) (server.Next, error) {
		got <- msg
		return server.Next{}, nil
	}
	start(t, s)
	if down, ok := (<-got).(actor.Down); !ok || !errors.Is(down.Reason, actor.ErrNoProc) {
		t.Errorf("HandleInfo got %v", down)
	}
}

func TestInfoWithoutHandlerIsDropped(t *testing.T) {
	s := &script{
		init: func(self *actor.Self) (server.Next, error) {
			self.Monitor(actor.Name("nobody"))
			return server.Next{}, nil
		},
		call: func(self *actor.Self, _ any) (server.Next, error) { return server.Next{}, self.Reply("alive") },
	}
	sys, pid := start(t, s)
	if got, err := actor.Call[string](t.Context(), sys, pid, "?"); got != "alive" || err != nil {
		t.Errorf("Call = %q, %v", got, err)
	}
}

func TestAskingForACallbackThatIsNotThereEndsTheServer(t *testing.T) {
	for _, c := range []struct {
		next server.Next
		want error
	}{
		{server.Next{Continue: 1}, server.ErrNoContinuer},
		{server.Next{Timeout: 1}, server.ErrNoTimeoutHandler},
	} {
		sys, pid := start(t, &script{call: func(*actor.Self, any) (server.Next, error) { return c.next, nil }})
		if _, err := actor.Call[int](t.Context(), sys, pid, "?"); !errors.Is(err, c.want) {
			t.Errorf("%+v: call fails with %v, want %v", c.next, err, c.want)
		}
	}
}

func TestInitErrorIsTheSpawnersError(t *testing.T) {
	refused := errors.New("refused")
	sys, _ := start(t, &script{})
	_, err := sys.Spawn(t.Context(), server.New(&script{init: func(*actor.Self) (server.Next, error) {
		return server.Next{}, refused
	}}))
	if !errors.Is(err, refused) {
		t.Errorf("Spawn fails with %v, want %v", err, refused)
	}
}
