package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/supervisor"
)

type getUser struct{ ID int }

var errNoUser = errors.New("no such user")

// users answers getUser. The database is asleep when it is asked first.
func users() rpc.Handler {
	asked := 0
	return func(ctx context.Context, self *actor.Self, req any) (any, error) {
		if asked++; asked == 1 {
			return nil, rpc.Retry(errors.New("the database wakes up"))
		}
		if id := req.(getUser).ID; id != 7 {
			return nil, fmt.Errorf("%w: %d", errNoUser, id)
		}
		return "Ada", nil
	}
}

func Example() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	super, err := supervisor.New(supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "users", Start: rpc.Start(rpc.ServerConfig{Handler: users()}, actor.Name("users"))},
	}})
	if err != nil {
		panic(err)
	}
	if _, err := sys.Spawn(ctx, super); err != nil {
		panic(err)
	}
	client, err := rpc.New(rpc.Config{System: sys, Observe: func(try rpc.Try) {
		fmt.Println("try", try.Number, "to", try.To, "was", try.Verdict)
	}})
	if err != nil {
		panic(err)
	}
	fmt.Println(rpc.Call[string](ctx, client, sys, actor.Name("users"), getUser{7}))
	_, err = rpc.Call[string](ctx, client, sys, actor.Name("users"), getUser{8})
	fmt.Println(errors.Is(err, errNoUser), errors.Is(err, rpc.ErrServer))
	// Output:
	// try 1 to users was again, not run
	// try 2 to users was final
	// Ada <nil>
	// try 1 to users was final
	// true true
}

// A request that does no harm when it runs twice may be sent to a second server
// when the first one is slow.
func ExampleIdempotent() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	start := func(handler rpc.Handler) actor.PID {
		server, err := rpc.NewServer(rpc.ServerConfig{Handler: handler, Window: rpc.Window{Age: time.Hour}})
		if err != nil {
			panic(err)
		}
		pid, err := sys.Spawn(ctx, server)
		if err != nil {
			panic(err)
		}
		return pid
	}
	slow := start(func(ctx context.Context, _ *actor.Self, _ any) (any, error) {
		<-ctx.Done() // as soon as the other one has answered
		return nil, ctx.Err()
	})
	quick := start(func(context.Context, *actor.Self, any) (any, error) { return "Ada", nil })
	client, err := rpc.New(rpc.Config{System: sys, HedgeAfter: 10 * time.Millisecond, Backoff: rpc.Backoff{Initial: time.Millisecond}})
	if err != nil {
		panic(err)
	}
	fmt.Println(rpc.Call[string](ctx, client, sys, slow, getUser{7}, rpc.Idempotent(), rpc.Fallback(quick)))
	// Output: Ada <nil>
}
