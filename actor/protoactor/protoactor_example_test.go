package protoactor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

func greet(ctx proto.Context) {
	if name, ok := ctx.Message().(string); ok {
		ctx.Respond("hello " + name)
	}
}

func ExampleBridge_Child() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: sys})
	if err != nil {
		panic(err)
	}
	greeter := bridge.Child(proto.PropsFromFunc(greet), actor.Name("greeter"))
	supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "greeter", Start: greeter}}})
	fmt.Println(actor.Call[string](ctx, sys, actor.Name("greeter"), "world"))
	// Output: hello world <nil>
}

func ExampleAttach() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	bridge, err := protoactor.Attach(ctx, protoactor.Config{
		System:  sys,
		Actors:  proto.NewActorSystem(protoactor.LogTo(nil)),
		Whereis: func(string) (actor.PID, bool) { return actor.PID{}, false },
	})
	if err != nil {
		panic(err)
	}
	double := actor.Func(func(self *actor.Self, msg any) error { return self.Reply(2 * msg.(int)) })
	sys.Spawn(ctx, double, actor.Name("double"))

	// An actor of theirs, or their root, asks a process of ours.
	to := bridge.ProtoPID(actor.Name("double"))
	fmt.Println(bridge.Actors().Root.RequestFuture(to, 21, time.Second).Result())
	fmt.Println(bridge.Close(ctx))
	// Output:
	// 42 <nil>
	// <nil>
}

func ExampleBridge_Root() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: sys})
	if err != nil {
		panic(err)
	}
	pid := bridge.Root().Spawn(proto.PropsFromFunc(greet))
	process, err := bridge.Resolve(ctx, pid)
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[string](ctx, bridge.System(), process, "world"))
	// Output: hello world <nil>
}

func ExampleFailure() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: sys})
	if err != nil {
		panic(err)
	}
	escalate := proto.NewOneForOneStrategy(1, time.Second, func(any) proto.Directive { return proto.EscalateDirective })
	props := proto.PropsFromFunc(func(ctx proto.Context) {
		if ctx.Message() == "fail" {
			panic("no")
		}
	}, proto.WithGuardian(escalate))
	start := bridge.Child(props, actor.Name("failing"))
	supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "failing", Start: start}}})
	_, err = actor.Call[string](ctx, sys, actor.Name("failing"), "fail")
	var failure *protoactor.Failure
	fmt.Println(errors.As(err, &failure), failure)
	// Output: true protoactor: failing failed: no
}

func ExampleStash() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: sys})
	if err != nil {
		panic(err)
	}
	ready, last := false, make(chan struct{})
	props := proto.PropsFromFunc(func(ctx proto.Context) {
		switch m := ctx.Message().(type) {
		case string:
			switch {
			case m == "connected":
				ready = true
				panic("start again with what waits")
			case !ready:
				ctx.Stash()
			default:
				fmt.Println(m)
				if m == "two" {
					close(last)
				}
			}
		}
	}, proto.WithGuardian(proto.RestartingSupervisorStrategy()), protoactor.Stash())
	pid := bridge.Root().Spawn(props)
	for _, m := range []string{"one", "two", "connected"} {
		bridge.Root().Send(pid, m)
	}
	<-last
	// Output:
	// one
	// two
}
