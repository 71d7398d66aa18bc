package protoactor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

func TestChildWithoutPropsDoesNotStart(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, err := supervisor.Spawn(t.Context(), s.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			{ID: "child", Start: s.bridge.Child(nil)},
		}})
		if !errors.Is(err, protoactor.ErrConfig) {
			t.Errorf("the start fails with %v", err)
		}
	})
}

func TestRequestsThatWaitWhenAnActorEndsFailAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		release := make(chan struct{})
		_, pid := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			if ctx.Message() == "crash" {
				<-release
				panic(errPlanned)
			}
		}))
		to, root := s.bridge.ProtoPID(pid), s.bridge.Actors().Root
		root.Send(to, "crash")
		waits := root.RequestFuture(to, "hi", time.Hour)
		began := time.Now()
		close(release)
		if _, err := waits.Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("the request fails with %v", err)
		}
		if _, err := root.RequestFuture(to, "hi", time.Hour).Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("a later request fails with %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("that takes %v", took)
		}
	})
}

func TestEveryRequestEndsWhileActorsCrashAndReturn(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		crashing := func(ctx proto.Context) {
			if n, ok := ctx.Message().(int); ok {
				if n%7 == 0 {
					panic(errPlanned)
				}
				ctx.Respond(n)
			}
		}
		sup := s.supervise(1000, supervisor.ChildSpec{
			ID: "child", Start: s.bridge.Child(proto.PropsFromFunc(crashing), actor.Name("crashing")),
		})
		theirs := proto.NewPID(s.bridge.ProtoPID(s.childOf(sup)).Address, "crashing")
		ours := s.bridge.ProtoPID(actor.Name("crashing"))
		var asking sync.WaitGroup
		for g := range 8 {
			asking.Go(func() {
				root := s.bridge.Actors().Root
				for i := range 50 {
					n := g*50 + i
					for _, to := range []*proto.PID{proto.NewPID(theirs.Address, theirs.Id), ours} {
						got, err := root.RequestFuture(to, n, time.Minute).Result()
						if err == nil && got != n && n%7 != 0 {
							if _, failed := got.(error); !failed {
								t.Errorf("request %d is answered with %v", n, got)
							}
						}
					}
					_, err := actor.Call[int](t.Context(), s.sys, actor.Name("crashing"), n)
					if errors.Is(err, actor.ErrTimeout) {
						t.Errorf("call %d times out", n)
					}
				}
			})
		}
		asking.Wait()
		synctest.Wait() // the last restart
		if got, err := actor.Call[int](t.Context(), s.sys, actor.Name("crashing"), 1); got != 1 || err != nil {
			t.Errorf("afterwards Call = %v, %v", got, err)
		}
	})
}

func TestAttachReportsEveryMistake(t *testing.T) {
	_, err := protoactor.Attach(context.Background(), protoactor.Config{AskTimeout: -1})
	if !errors.Is(err, protoactor.ErrConfig) || len(err.(interface{ Unwrap() []error }).Unwrap()) != 2 {
		t.Errorf("Attach fails with %v, want two mistakes", err)
	}
}

func TestActorSystemWithARemoteIsRefused(t *testing.T) {
	sys, _ := newBridge(t)
	actors := proto.NewActorSystem(protoactor.LogTo(nil))
	actors.ProcessRegistry.Address = "127.0.0.1:8080" // as a remote sets it
	_, err := protoactor.Attach(t.Context(), protoactor.Config{System: sys, Actors: actors})
	if !errors.Is(err, protoactor.ErrConfig) {
		t.Errorf("Attach fails with %v", err)
	}
}

func TestActorSystemCanBeAttachedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		if err := s.bridge.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := protoactor.Attach(t.Context(), protoactor.Config{System: s.sys, Actors: s.bridge.Actors()})
		if err != nil {
			t.Fatal(err)
		}
		pid := s.spawn(adder(s))
		if got, err := again.Actors().Root.RequestFuture(again.ProtoPID(pid), 5, time.Minute).Result(); got != 5 || err != nil {
			t.Errorf("RequestFuture = %v, %v", got, err)
		}
	})
}

func TestActorWhoseStartIsGivenUpLeavesNothing(t *testing.T) {
	for _, wait := range []time.Duration{100 * time.Millisecond, time.Minute} { // within the grace, and beyond
		bubble(t, func(t *testing.T, s *stage) {
			release := make(chan struct{})
			start := s.bridge.Child(proto.PropsFromFunc(func(ctx proto.Context) {
				if _, ok := ctx.Message().(*proto.Started); ok {
					<-release
				}
			}), actor.Name("slow"))
			parent := s.spawn(actor.Func(func(self *actor.Self, _ any) error {
				_, err := start(self)
				return err
			}))
			_ = s.sys.Send(parent, "start")
			synctest.Wait()
			_ = s.sys.Kill(parent)
			time.Sleep(wait)
			close(release)
			synctest.Wait()
			if _, ok := s.bridge.Actors().ProcessRegistry.GetLocal("slow"); ok {
				t.Errorf("after %v the actor is still there", wait)
			}
			s.child(s.echo("next"), actor.Name("slow"))
		})
	}
}

func TestSystemHasOneBridge(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		if _, err := protoactor.Attach(t.Context(), protoactor.Config{System: s.sys}); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("the second bridge fails with %v", err)
		}
		if err := s.bridge.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := protoactor.Attach(t.Context(), protoactor.Config{System: s.sys})
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := again.Close(t.Context()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
}

func TestCloseGivesUpRequestsAndEndsHostedActors(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		never := make(chan struct{})
		ours := s.spawn(actor.Func(func(*actor.Self, any) error { <-never; return nil }))
		_, pid := s.child(s.echo("a"))
		reason := s.end(pid)
		future := s.bridge.Actors().Root.RequestFuture(s.bridge.ProtoPID(ours), 1, time.Hour)
		if err := s.bridge.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := future.Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("the request fails with %v", err)
		}
		if err := <-reason; !errors.Is(err, actor.ErrShutdown) {
			t.Errorf("the actor ended with %v", err)
		}
		close(never)
		synctest.Wait()
		_, err := s.sys.Spawn(t.Context(), s.bridge.New(s.echo("late")))
		if !errors.Is(err, protoactor.ErrBridgeClosed) {
			t.Errorf("a later start fails with %v", err)
		}
		for pid := range s.sys.Processes() {
			if info, ok := s.sys.Info(pid); ok && info.Type == "*protoactor.host" {
				t.Errorf("%v still hosts an actor", pid)
			}
		}
	})
}
