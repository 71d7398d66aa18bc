package protoactor_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// What the library's own examples show of actors on one node: each is told
// again in our words, and runs hosted.

func TestTheirLifecycleIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		root := s.bridge.Root()
		pid := root.Spawn(s.echo("a"))
		root.Send(pid, "hello")
		if err := root.PoisonFuture(pid).Wait(); err != nil {
			t.Fatal(err)
		}
		s.expect("a started", "a got hello", "a stopping", "a stopped")
	})
}

func TestTheirRequestAndResponseWork(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		root := s.bridge.Root()
		pid := root.Spawn(s.echo("a"))
		if got, err := root.RequestFuture(pid, "hi", time.Second).Result(); got != "a hi" || err != nil {
			t.Errorf("RequestFuture = %v, %v", got, err)
		}
		// A future may be piped, and an actor may go on when one is complete.
		root.RequestFuture(pid, "piped", time.Second).PipeTo(pid)
		root.Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(*proto.Started); ok {
				ctx.ReenterAfter(ctx.RequestFuture(pid, "again", time.Second), func(res any, err error) {
					s.note(fmt.Sprint("reentered with ", res, " in ", ctx.Message() != nil))
				})
			}
		}))
		synctest.Wait()
		got := s.noted()
		slices.Sort(got)
		if want := []string{"a got a piped", "a started", "reentered with a again in true"}; !slices.Equal(got, want) {
			t.Errorf("log is %q, want %q", got, want)
		}
	})
}

func TestTheirSupervisionStrategiesWork(t *testing.T) {
	for _, c := range []struct {
		name     string
		strategy proto.SupervisorStrategy
		want     []string
	}{
		{"restart", proto.NewOneForOneStrategy(1, time.Hour, proto.DefaultDecider), []string{"x restarting", "x started"}},
		{"resume", proto.NewOneForOneStrategy(1, time.Hour, func(any) proto.Directive { return proto.ResumeDirective }), nil},
		{"stop", proto.NewOneForOneStrategy(1, time.Hour, func(any) proto.Directive { return proto.StopDirective }),
			[]string{"x stopping", "x stopped"}},
		{"all for one", proto.NewAllForOneStrategy(1, time.Hour, proto.DefaultDecider),
			[]string{"x restarting", "x started", "y restarting", "y started"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *stage) {
				var x, y *proto.PID
				xs, ys := s.echo("x"), s.echo("y")
				s.bridge.Root().Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
					if _, ok := ctx.Message().(*proto.Started); ok {
						x, y = ctx.Spawn(xs), ctx.Spawn(ys)
					}
				}, proto.WithSupervisor(c.strategy)))
				synctest.Wait()
				before := len(s.noted())
				s.bridge.Root().Send(x, "panic")
				s.bridge.Root().Send(x, "after")
				synctest.Wait()
				got := s.noted()[before:]
				want := slices.Clone(c.want)
				if c.name != "stop" {
					want = append(want, "x got after")
				}
				slices.Sort(got) // the two run beside each other
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("then %q, want %q", got, want)
				}
				if y == nil {
					t.Error("there is no sibling")
				}
			})
		})
	}
}

func TestTheirBehaviorsWork(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		var behavior proto.Behavior
		var on, off proto.ReceiveFunc
		off = func(ctx proto.Context) {
			if ctx.Message() == "switch" {
				behavior.BecomeStacked(on)
				ctx.Respond("on")
			}
		}
		on = func(ctx proto.Context) {
			if ctx.Message() == "switch" {
				behavior.UnbecomeStacked()
				ctx.Respond("off")
			}
		}
		_, pid := s.child(proto.PropsFromProducer(func() proto.Actor {
			behavior = proto.NewBehavior()
			behavior.Become(off)
			return &behavior
		}))
		for i, want := range []string{"on", "off", "on"} {
			if got := s.call(pid, "switch"); got != want {
				t.Errorf("switched %d times it is %q", i+1, got)
			}
		}
	})
}

func TestTheirMiddlewareWorks(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ours := s.bridge.ProtoPID(s.spawn(adder(s)))
		inner := s.echo("inner")
		props := proto.PropsFromFunc(func(ctx proto.Context) {
			if ctx.Message() == "go" {
				ctx.Send(ours, "sent")
				ctx.Spawn(inner)
			}
		}, proto.WithReceiverMiddleware(func(next proto.ReceiverFunc) proto.ReceiverFunc {
			return func(c proto.ReceiverContext, env *proto.MessageEnvelope) {
				if text, ok := env.Message.(string); ok {
					s.note("received " + text)
				}
				next(c, env)
			}
		}), proto.WithSenderMiddleware(func(next proto.SenderFunc) proto.SenderFunc {
			return func(c proto.SenderContext, to *proto.PID, env *proto.MessageEnvelope) {
				s.note(fmt.Sprint("sends ", env.Message))
				next(c, to, env)
			}
		}), proto.WithSpawnMiddleware(func(next proto.SpawnFunc) proto.SpawnFunc {
			return func(as *proto.ActorSystem, id string, p *proto.Props, parent proto.SpawnerContext) (*proto.PID, error) {
				s.note("spawns")
				return next(as, id, p, parent)
			}
		}))
		_, pid := s.child(props)
		_ = s.sys.Send(pid, "go")
		synctest.Wait()
		got := s.noted()
		slices.Sort(got)
		want := []string{"adder got sent", "inner started", "received go", "sends sent", "spawns"}
		if !slices.Equal(got, want) {
			t.Errorf("log is %q, want %q", got, want)
		}
	})
}

func TestTheirReceiveTimeoutWorks(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		began := time.Now()
		s.child(proto.PropsFromFunc(func(ctx proto.Context) {
			switch ctx.Message().(type) {
			case *proto.Started:
				ctx.SetReceiveTimeout(3 * time.Second)
			case *proto.ReceiveTimeout:
				s.note(time.Since(began).String())
			}
		}))
		time.Sleep(time.Minute)
		s.expect("3s")
	})
}

func TestTheirRoutersSpreadOverHostedRoutees(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		worker := func(ctx proto.Context) {
			if m, ok := ctx.Message().(string); ok {
				s.note(ctx.Self().Id + " " + m)
				ctx.Respond("done")
			}
		}
		props := router.NewRoundRobinPool(3, proto.WithFunc(worker))
		sup, pid := s.child(props, actor.Name("pool"))
		for range 6 {
			if got := s.call(actor.Name("pool"), "job"); got != "done" {
				t.Errorf("reply is %q", got)
			}
		}
		count := make(map[string]int)
		for _, line := range s.noted() {
			count[line]++
		}
		if len(count) != 3 {
			t.Errorf("jobs went to %v, want to three routees", count)
		}
		for line, n := range count {
			if n != 2 {
				t.Errorf("%s: %d jobs, want 2", line, n)
			}
		}
		hosted := 0
		for p := range s.sys.Processes() {
			if info, ok := s.sys.Info(p); ok && len(info.Label) > 5 && info.Label[:5] == "pool/" {
				hosted++
			}
		}
		if hosted != 3 {
			t.Errorf("%d routees are hosted, want 3", hosted)
		}
		reason := s.end(pid)
		if err := supervisor.TerminateChild(t.Context(), s.sys, sup, "child"); err != nil {
			t.Fatal(err)
		}
		<-reason
		if _, ok := s.bridge.Actors().ProcessRegistry.GetLocal("pool"); ok {
			t.Error("the router is still there")
		}
	})
}

func TestTheirGroupRouterReachesOurProcesses(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		one, two := s.spawn(adder(s)), s.spawn(adder(s))
		root := s.bridge.Actors().Root
		group := root.Spawn(router.NewBroadcastGroup(s.bridge.ProtoPID(one), s.bridge.ProtoPID(two)))
		root.Send(group, 21)
		synctest.Wait()
		for _, pid := range []actor.PID{one, two} {
			if got, err := actor.Call[int](t.Context(), s.sys, pid, 0); got != 21 || err != nil {
				t.Errorf("Call = %v, %v", got, err)
			}
		}
		if err := root.StopFuture(group).Wait(); err != nil {
			t.Error(err)
		}
	})
}
