package protoactor_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

func TestChildAnswersCallsAndTakesMessages(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, pid := s.child(s.echo("a"), actor.Name("a"))
		s.expect("a started") // before the start returned
		if got := s.call(actor.Name("a"), "hi"); got != "a hi" {
			t.Errorf("reply is %q", got)
		}
		if err := s.sys.Send(pid, "there"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.expect("a started", "a got there")
	})
}

func TestChildThatPanicsIsRestartedByItsSupervisor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		sup, pid := s.child(s.echo("a"))
		reason := s.end(pid)
		_, err := actor.Call[string](t.Context(), s.sys, pid, "panic")
		var panicked *actor.PanicError
		if !errors.As(err, &panicked) || !errors.Is(err, errPlanned) {
			t.Errorf("the call fails with %v, want the panic", err)
		}
		if err := <-reason; !errors.Is(err, errPlanned) {
			t.Errorf("the process ended with %v", err)
		}
		synctest.Wait()
		if next := s.childOf(sup); next == pid || next.IsZero() {
			t.Errorf("the successor is %v", next)
		}
		s.expect("a started", "a stopping", "a stopped", "a started")
	})
}

func TestChildThatStopsItselfEndsNormally(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		props := proto.PropsFromFunc(func(ctx proto.Context) {
			if ctx.Message() == "stop" {
				ctx.Stop(ctx.Self())
			}
		})
		sup := s.supervise(0, supervisor.ChildSpec{
			ID: "child", Restart: supervisor.Transient, Start: s.bridge.Child(props),
		})
		pid := s.childOf(sup)
		reason := s.end(pid)
		_ = s.sys.Send(pid, "stop")
		if err := <-reason; !errors.Is(err, actor.ErrNormal) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestPanicInStartedIsTheErrorOfTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		props := proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(*proto.Started); ok {
				panic(errPlanned)
			}
		})
		_, err := supervisor.Spawn(t.Context(), s.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			{ID: "child", Start: s.bridge.Child(props, actor.Name("taken"))},
		}})
		if !errors.Is(err, errPlanned) {
			t.Fatalf("start fails with %v", err)
		}
		// Nothing is left of it: the name is free on both sides.
		if _, ok := s.bridge.Actors().ProcessRegistry.GetLocal("taken"); ok {
			t.Error("the actor's name is still taken")
		}
		s.child(s.echo("a"), actor.Name("taken"))
	})
}

func TestShutdownStopsTheActorAndItsChildrenInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		inner := s.echo("inner")
		props := proto.PropsFromFunc(func(ctx proto.Context) {
			switch ctx.Message().(type) {
			case *proto.Started:
				if _, err := ctx.SpawnNamed(inner, "kid"); err != nil {
					panic(err)
				}
			case *proto.Stopping:
				s.note("outer stopping")
			case *proto.Stopped:
				s.note("outer stopped")
			}
		})
		sup, _ := s.child(props, actor.Name("outer"))
		synctest.Wait()
		if err := supervisor.TerminateChild(t.Context(), s.sys, sup, "child"); err != nil {
			t.Fatal(err)
		}
		s.expect("inner started", "outer stopping", "inner stopping", "inner stopped", "outer stopped")
	})
}

func TestActorThatDoesNotStopIsKilledAfterItsShutdown(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		release := make(chan struct{})
		props := proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(*proto.Stopping); ok {
				<-release
			}
		})
		began := time.Now()
		sup := s.supervise(0, supervisor.ChildSpec{
			ID: "child", Shutdown: 2 * time.Second, Start: s.bridge.Child(props, actor.Name("stuck")),
		})
		reason := s.end(s.childOf(sup))
		if err := supervisor.TerminateChild(t.Context(), s.sys, sup, "child"); err != nil {
			t.Fatal(err)
		}
		if err := <-reason; !errors.Is(err, actor.ErrZombie) {
			t.Errorf("ended with %v, want a zombie", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v, want the shutdown of 2s and the grace of 1s", took)
		}
		synctest.Wait() // observers hear of it last
		if _, ok := s.bridge.Actors().ProcessRegistry.GetLocal("stuck"); ok {
			t.Error("the zombie's name is still taken")
		}
		close(release)
		synctest.Wait() // the zombie returns
	})
}

func TestKilledActorTakesItsChildrenAlong(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		var kid *proto.PID
		inner := s.echo("inner")
		_, pid := s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(*proto.Started); ok {
				kid = ctx.Spawn(inner)
			}
		}))
		process, err := s.bridge.Resolve(t.Context(), kid)
		if err != nil {
			t.Fatal(err)
		}
		reason := s.end(process)
		if err := s.sys.Kill(pid); err != nil {
			t.Fatal(err)
		}
		if err := <-reason; !errors.Is(err, actor.ErrKilled) {
			t.Errorf("the child ended with %v", err)
		}
	})
}

func TestGuardianOfPropsRestartsInPlace(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		strategy := proto.NewOneForOneStrategy(2, time.Hour, proto.DefaultDecider)
		props := s.echo("a").Configure(proto.WithGuardian(strategy))
		sup, pid := s.child(props)
		reason := s.end(pid)
		for range 2 {
			_ = s.sys.Send(pid, "panic")
		}
		if got := s.call(pid, "alive"); got != "a alive" {
			t.Errorf("reply is %q", got)
		}
		s.expect("a started", "a restarting", "a started", "a restarting", "a started")
		_ = s.sys.Send(pid, "panic") // one too many for the strategy
		var failure *protoactor.Failure
		if err := <-reason; !errors.As(err, &failure) || !errors.Is(err, errPlanned) {
			t.Errorf("ended with %v", err)
		}
		synctest.Wait()
		if next := s.childOf(sup); next == pid || next.IsZero() {
			t.Errorf("the successor is %v", next)
		}
	})
}

func TestMailWaitsWhileAStrategyDecides(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		// This one decides after a while.
		strategy := proto.NewExponentialBackoffStrategy(time.Hour, time.Second)
		_, pid := s.child(s.echo("a").Configure(proto.WithGuardian(strategy)))
		_ = s.sys.Send(pid, "panic")
		_ = s.sys.Send(pid, "one")
		_ = s.sys.Send(pid, "two")
		time.Sleep(500 * time.Millisecond)
		s.expect("a started")
		time.Sleep(time.Second)
		s.expect("a started", "a restarting", "a started", "a got one", "a got two")
	})
}

func TestLinkToAHostedActorCarriesItsReason(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, pid := s.child(s.echo("a"))
		linked := s.spawn(actor.Func(func(self *actor.Self, _ any) error { return self.Link(pid) }))
		reason := s.end(linked)
		_ = s.sys.Send(linked, "link")
		synctest.Wait()
		_ = s.sys.Send(pid, "panic")
		if err := <-reason; !errors.Is(err, errPlanned) {
			t.Errorf("who is linked ended with %v", err)
		}
	})
}

func TestActorIsSpawnedByTheNameOfAConstructor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		pid, err := s.sys.SpawnAt(t.Context(), s.sys.Node(), "echo", "spawned")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.call(pid, "hi"); got != "spawned hi" {
			t.Errorf("reply is %q", got)
		}
	})
}

func TestActorCanBeSpawnedWithoutASupervisor(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		pid := s.spawn(s.bridge.New(s.echo("a")), actor.Name("free"))
		if got := s.call(actor.Name("free"), "hi"); got != "a hi" {
			t.Errorf("reply is %q", got)
		}
		reason := s.end(pid)
		_ = s.sys.Send(pid, "panic")
		if err := <-reason; !errors.Is(err, errPlanned) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestChildIsLinkedNamedAndMonitored(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		_, pid := s.child(s.echo("a"), actor.Name("a"), actor.Label("their echo"))
		info, ok := s.sys.Info(pid)
		if !ok || len(info.Names) != 1 || info.Label != "their echo" || len(info.Links) != 1 || info.Type != "*protoactor.host" {
			t.Errorf("info is %+v", info)
		}
		if found, err := s.bridge.Resolve(t.Context(), s.bridge.ProtoPID(pid)); found != pid || err != nil {
			t.Errorf("Resolve(ProtoPID(pid)) = %v, %v", found, err)
		}
	})
}
