package protoactor_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

// panicsAt is an actor that panics when it is told what is like at.
func panicsAt[M any](s *stage, name string) *proto.Props {
	return proto.PropsFromFunc(func(ctx proto.Context) {
		switch ctx.Message().(type) {
		case M:
			s.note(name + " panics")
			panic(errPlanned)
		case *proto.Started:
			s.note(name + " started")
		case *proto.Stopped:
			s.note(name + " stopped")
		}
	})
}

func TestPanicInStoppingDoesNotResurrectTheActor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		sup := s.supervise(0, supervisor.ChildSpec{
			ID: "child", Start: s.bridge.Child(panicsAt[*proto.Stopping](s, "a"), actor.Name("a")),
		})
		reason := s.end(s.childOf(sup))
		if err := supervisor.TerminateChild(t.Context(), s.sys, sup, "child"); err != nil {
			t.Fatal(err)
		}
		if err := <-reason; !errors.Is(err, errPlanned) {
			t.Errorf("ended with %v, want the panic", err)
		}
		time.Sleep(time.Minute)
		s.expect("a started", "a panics", "a stopped")
		if _, ok := s.bridge.Actors().ProcessRegistry.GetLocal("a"); ok {
			t.Error("the actor is still there")
		}
	})
}

func TestPanicInStoppedOfAChildDoesNotHangItsParent(t *testing.T) {
	for _, c := range []struct {
		where string
		inner func(s *stage) *proto.Props
	}{
		{"stopping", func(s *stage) *proto.Props { return panicsAt[*proto.Stopping](s, "inner") }},
		{"stopped", func(s *stage) *proto.Props { return panicsAt[*proto.Stopped](s, "inner") }},
	} {
		t.Run(c.where, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *stage) {
				inner := c.inner(s)
				sup, _ := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
					if _, ok := ctx.Message().(*proto.Started); ok {
						ctx.Spawn(inner)
						ctx.Spawn(inner)
					}
				}))
				synctest.Wait()
				began := time.Now()
				if err := supervisor.TerminateChild(t.Context(), s.sys, sup, "child"); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the stop took %v", took)
				}
				if n := strings.Count(strings.Join(s.noted(), "\n"), "panics"); n != 2 {
					t.Errorf("%d children have panicked, want 2: %q", n, s.noted())
				}
			})
		})
	}
}

func TestEscalationToTheTopEndsTheProcessAndNotTheProgram(t *testing.T) {
	escalate := proto.NewOneForOneStrategy(1, time.Hour, func(any) proto.Directive { return proto.EscalateDirective })
	t.Run("by the guardian of its props", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			_, pid := s.child(s.echo("a").Configure(proto.WithGuardian(escalate)))
			reason := s.end(pid)
			_ = s.sys.Send(pid, "panic")
			var failure *protoactor.Failure
			if err := <-reason; !errors.As(err, &failure) || !errors.Is(err, errPlanned) {
				t.Errorf("ended with %v", err)
			}
		})
	})
	t.Run("from a child", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			var kid *proto.PID
			inner := s.echo("inner")
			_, pid := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
				if _, ok := ctx.Message().(*proto.Started); ok {
					kid = ctx.Spawn(inner)
				}
			}, proto.WithSupervisor(escalate)))
			reason := s.end(pid)
			s.bridge.Actors().Root.Send(kid, "panic")
			if err := <-reason; !errors.Is(err, errPlanned) {
				t.Errorf("ended with %v", err)
			}
			synctest.Wait()
			s.expect("inner started", "inner stopping", "inner stopped", "inner started")
		})
	})
	t.Run("from the root", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			pid := s.bridge.Root().Spawn(s.echo("a").Configure(proto.WithGuardian(escalate)))
			process, err := s.bridge.Resolve(t.Context(), pid)
			if err != nil {
				t.Fatal(err)
			}
			reason := s.end(process)
			s.bridge.Actors().Root.Send(pid, "panic")
			if err := <-reason; !errors.Is(err, errPlanned) {
				t.Errorf("ended with %v", err)
			}
		})
	})
}

func TestStalePIDDoesNotReachTheSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		sup, pid := s.child(s.echo("a"))
		root := s.bridge.Actors().Root
		// One that has found its actor already, and one that has not.
		used, unused := s.bridge.ProtoPID(pid), proto.NewPID(s.bridge.ProtoPID(pid).Address, s.bridge.ProtoPID(pid).Id)
		root.Send(used, "first")
		_ = s.sys.Send(pid, "panic")
		synctest.Wait()
		if s.childOf(sup) == pid {
			t.Fatal("there is no successor")
		}
		root.Send(used, "late")
		root.Send(unused, "late")
		synctest.Wait()
		s.expect("a started", "a got first", "a stopping", "a stopped", "a started")
	})
}

func TestNameReachesTheSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, pid := s.child(s.echo("a"), actor.Name("a"))
		root := s.bridge.Actors().Root
		theirs, ours := s.bridge.ProtoPID(pid), s.bridge.ProtoPID(actor.Name("a"))
		root.Send(theirs, "first")
		_ = s.sys.Send(pid, "panic")
		synctest.Wait()
		root.Send(theirs, "second")
		root.Send(ours, "third")
		synctest.Wait()
		s.expect("a started", "a got first", "a stopping", "a stopped", "a started", "a got second", "a got third")
	})
}

func TestLibraryLogsToTheGivenLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer sys.Close(t.Context())
		var out bytes.Buffer
		bridge, err := protoactor.Attach(t.Context(), protoactor.Config{
			System: sys, Logger: slog.New(slog.NewTextHandler(&out, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		bridge.Actors().Logger().Info("hello")
		if text := out.String(); !strings.Contains(text, "actor system started") || !strings.Contains(text, "lib=proto.actor") {
			t.Errorf("the log is %q", text)
		}
	})
}

func TestStashOfTheirsIsAStackAndOursAQueue(t *testing.T) {
	life := func(s *stage) *proto.Props {
		restarted := false
		return proto.PropsFromFunc(func(ctx proto.Context) {
			switch m := ctx.Message().(type) {
			case *proto.Restarting:
				restarted = true
			case string:
				switch {
				case m == "panic":
					panic(errPlanned)
				case !restarted:
					ctx.Stash()
				case ctx.Sender() != nil:
					ctx.Respond("answer to " + m)
				default:
					s.note(m)
				}
			}
		}, proto.WithGuardian(proto.NewRestartingStrategy()))
	}
	t.Run("theirs", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			_, pid := s.child(life(s))
			for _, m := range []string{"one", "two", "three", "panic"} {
				_ = s.sys.Send(pid, m)
			}
			synctest.Wait()
			s.expect("three", "two", "one")
		})
	})
	t.Run("ours", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			_, pid := s.child(life(s).Configure(protoactor.Stash()))
			answer := s.bridge.Actors().Root.RequestFuture(s.bridge.ProtoPID(pid), "zero", time.Minute)
			for _, m := range []string{"one", "two", "three", "panic"} {
				_ = s.sys.Send(pid, m)
			}
			synctest.Wait()
			s.expect("one", "two", "three")
			if got, err := answer.Result(); got != "answer to zero" || err != nil {
				t.Errorf("the stashed request is answered with %v, %v", got, err)
			}
		})
	})
	t.Run("left when the actor stops", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			_, pid := s.child(life(s).Configure(protoactor.Stash()))
			answer := s.bridge.Actors().Root.RequestFuture(s.bridge.ProtoPID(pid), "zero", time.Minute)
			synctest.Wait()
			_ = s.sys.Exit(pid, actor.ErrShutdown)
			if got, err := answer.Result(); !errors.Is(err, proto.ErrDeadLetter) {
				t.Errorf("the stashed request is answered with %v, %v", got, err)
			}
		})
	})
}
