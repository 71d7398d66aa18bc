package protoactor_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// adder is a process of ours.
func adder(s *stage) actor.Func {
	sum := 0
	return func(self *actor.Self, msg any) error {
		switch m := msg.(type) {
		case int:
			sum += m
			if self.IsCall() {
				return self.Reply(sum)
			}
		case string:
			switch m {
			case "fail":
				return errPlanned
			case "refuse":
				return self.ReplyError(errPlanned)
			case "defer":
				from := self.From()
				self.SendAfter(time.Second, from)
			}
			s.note("adder got " + m)
		case actor.From:
			m.Reply("deferred")
		}
		return nil
	}
}

func (s *stage) spawn(a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	s.t.Helper()
	pid, err := s.sys.Spawn(s.t.Context(), a, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

func TestTheirActorsSendToOurProcesses(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		pid := s.spawn(adder(s), actor.Name("adder"))
		root := s.bridge.Actors().Root
		for _, to := range []actor.Address{pid, actor.Name("adder"), actor.NameAt{Node: s.sys.Node().Name, Name: "adder"}} {
			root.Send(s.bridge.ProtoPID(to), 1)
		}
		got, err := root.RequestFuture(s.bridge.ProtoPID(pid), 39, time.Second).Result()
		if got != 42 || err != nil {
			t.Errorf("RequestFuture = %v, %v", got, err)
		}
	})
}

func TestRequestIsAnsweredWithItsActorAsSender(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		to := s.bridge.ProtoPID(s.spawn(adder(s)))
		s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			switch m := ctx.Message().(type) {
			case *proto.Started:
				ctx.Request(to, 7)
			case int:
				s.note(fmt.Sprint("answer ", m))
			}
		}))
		synctest.Wait()
		s.expect("answer 7")
	})
}

func TestRequestsAndSendsOfOneSenderKeepTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		var got []int
		to := s.bridge.ProtoPID(s.spawn(actor.Func(func(self *actor.Self, msg any) error {
			got = append(got, msg.(int))
			return self.Reply(msg)
		})))
		const n = 300
		root := s.bridge.Actors().Root
		var last *proto.Future
		for i := range n {
			if i%3 == 0 {
				root.Send(to, i)
			} else {
				last = root.RequestFuture(to, i, time.Minute)
			}
		}
		if err := last.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, m := range got {
			if i != m {
				t.Fatalf("message %d came as number %d", m, i)
			}
		}
		if len(got) != n {
			t.Errorf("%d messages came, want %d", len(got), n)
		}
	})
}

func TestFutureFailsWhenOurProcessDoesNotAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		root := s.bridge.Actors().Root
		ask := func(to actor.Address, req any) (any, error) {
			began := time.Now()
			got, err := root.RequestFuture(s.bridge.ProtoPID(to), req, time.Minute).Result()
			if d := time.Since(began); d > time.Second {
				t.Errorf("%v takes %v", req, d)
			}
			return got, err
		}
		if got, err := ask(s.spawn(adder(s)), "no answer"); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("no reply: %v, %v", got, err)
		}
		if got, err := ask(actor.Name("nobody"), 1); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("no process: %v, %v", got, err)
		}
		if got, err := ask(s.spawn(adder(s)), "refuse"); err != nil || !errors.Is(got.(error), errPlanned) {
			t.Errorf("error reply: %v, %v", got, err)
		}
		if got, err := ask(s.spawn(adder(s)), "fail"); err != nil || !errors.Is(got.(error), errPlanned) {
			t.Errorf("crash: %v, %v", got, err)
		}
		if got, err := ask(s.spawn(adder(s)), "defer"); got != "deferred" || err != nil {
			t.Errorf("deferred reply: %v, %v", got, err)
		}
	})
}

func TestWatchOfOurProcessesTellsTerminated(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		pid := s.spawn(adder(s), actor.Name("adder"))
		ours, gone := s.bridge.ProtoPID(pid), s.bridge.ProtoPID(actor.Name("nobody"))
		watching := func(name string) *proto.Props {
			return proto.PropsFromFunc(func(ctx proto.Context) {
				switch m := ctx.Message().(type) {
				case *proto.Started:
					ctx.Watch(ours)
					ctx.Watch(gone)
				case *proto.Terminated:
					s.note(fmt.Sprintf("%s: %v %v", name, m.Who.Id == ours.Id, m.Why))
				case string:
					ctx.Unwatch(ours)
				}
			})
		}
		_, hosted := s.child(watching("hosted"))
		synctest.Wait()
		s.expect("hosted: false NotFound")
		s.bridge.Actors().Root.Spawn(watching("not hosted"))
		synctest.Wait()
		s.expect("hosted: false NotFound", "not hosted: false NotFound")
		_ = s.sys.Send(hosted, "unwatch")
		synctest.Wait()
		_ = s.sys.Exit(pid, errPlanned)
		synctest.Wait()
		s.expect("hosted: false NotFound", "not hosted: false NotFound", "not hosted: true Stopped")
	})
}

func TestTerminatedComesAfterWhatTheProcessSentBefore(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		var sender *proto.PID
		_, theirs := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			switch m := ctx.Message().(type) {
			case string:
				ctx.Watch(sender)
			case int:
				s.note(fmt.Sprint(m))
			case *proto.Terminated:
				s.note("terminated")
			}
		}))
		ours := s.spawn(actor.Func(func(self *actor.Self, _ any) error {
			for i := range 3 {
				_ = self.Send(theirs, i)
			}
			return actor.ErrNormal
		}))
		sender = s.bridge.ProtoPID(ours)
		_ = s.sys.Send(theirs, "watch")
		synctest.Wait()
		_ = s.sys.Send(ours, "go")
		synctest.Wait()
		s.expect("0", "1", "2", "terminated")
	})
}

func TestStopAndPoisonEndOurProcesses(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		root := s.bridge.Actors().Root
		for name, end := range map[string]func(*proto.PID) *proto.Future{"stop": root.StopFuture, "poison": root.PoisonFuture} {
			for _, to := range []actor.Address{nil, actor.Name("adder")} {
				pid := s.spawn(adder(s), actor.Name("adder"))
				if to == nil {
					to = pid
				}
				reason := s.end(pid)
				if err := end(s.bridge.ProtoPID(to)).Wait(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if err := <-reason; !errors.Is(err, actor.ErrShutdown) {
					t.Errorf("%s: ended with %v", name, err)
				}
			}
		}
	})
}

func TestPoisonOfAHostedActorWaitsForTheMailBeforeIt(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, pid := s.child(s.echo("a"))
		to, root := s.bridge.ProtoPID(pid), s.bridge.Actors().Root
		reason := s.end(pid)
		root.Send(to, "one")
		root.Send(to, "two")
		root.Poison(to)
		if err := <-reason; !errors.Is(err, actor.ErrNormal) {
			t.Errorf("ended with %v", err)
		}
		if got := s.noted(); len(got) < 5 || got[1] != "a got one" || got[2] != "a got two" || got[4] != "a stopped" {
			t.Errorf("log is %q", got)
		}
	})
}

func TestActorThatIsNotHostedIsStoodInFor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		root := s.bridge.Actors().Root
		theirs := root.Spawn(s.echo("native"))
		pid, err := s.bridge.Resolve(t.Context(), theirs)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.bridge.Resolve(t.Context(), theirs); again != pid || err != nil {
			t.Errorf("resolved again: %v, %v; want %v", again, err, pid)
		}
		if got := s.call(pid, "hi"); got != "native hi" {
			t.Errorf("reply is %q", got)
		}
		reason := s.end(pid)
		root.Stop(theirs)
		if err := <-reason; !errors.Is(err, actor.ErrNormal) {
			t.Errorf("the stand-in ended with %v", err)
		}
		if _, err := s.bridge.Resolve(t.Context(), theirs); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("resolved after the end: %v", err)
		}
	})
}

func TestForwardedRequestIsAnsweredByAnotherActor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, last := s.child(s.echo("last"))
		to := s.bridge.ProtoPID(last)
		_, first := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(string); ok {
				ctx.Forward(to)
			}
		}))
		if got := s.call(first, "hi"); got != "last hi" {
			t.Errorf("reply is %q", got)
		}
		// From theirs, over one of theirs, to one of ours.
		ours := s.bridge.ProtoPID(s.spawn(adder(s)))
		_, relay := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(int); ok {
				ctx.Forward(ours)
			}
		}))
		if got, err := actor.Call[int](t.Context(), s.sys, relay, 5); got != 5 || err != nil {
			t.Errorf("Call = %v, %v", got, err)
		}
	})
}
