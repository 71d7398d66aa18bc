package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// Sessions come and go: one template, any number of instances.
func ExampleStartInstance() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	sessions, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{
		Strategy: supervisor.SimpleOneForOne,
		Children: []supervisor.ChildSpec{{
			ID:      "session",
			Restart: supervisor.Temporary,
			Start: actor.StartWith(func(args ...any) actor.Actor {
				user := args[0].(string)
				return actor.Func(func(self *actor.Self, _ any) error { return self.Reply("hello " + user) })
			}),
		}},
	})
	for _, user := range []string{"ada", "bob", "cyd"} {
		session, _ := supervisor.StartInstance(ctx, sys, sessions, user)
		greeting, _ := actor.Call[string](ctx, sys, session, "?")
		fmt.Println(greeting)
		if user == "bob" {
			supervisor.TerminateInstance(ctx, sys, sessions, session)
		}
	}
	counts, _ := supervisor.CountChildren(ctx, sys, sessions)
	fmt.Println(counts.Active, "sessions")
	sys.Close(ctx)
	// Output:
	// hello ada
	// hello bob
	// hello cyd
	// 2 sessions
}

// Children can be added to a supervisor that runs, stopped, started and
// forgotten again.
func ExampleStartChild() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	sup, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{})
	supervisor.StartChild(ctx, sys, sup, chatty("cache"))
	_, err := supervisor.StartChild(ctx, sys, sup, chatty("cache"))
	fmt.Println(errors.Is(err, supervisor.ErrAlreadyStarted))
	supervisor.TerminateChild(ctx, sys, sup, "cache")
	supervisor.RestartChild(ctx, sys, sup, "cache")
	fmt.Println(supervisor.DeleteChild(ctx, sys, sup, "cache"))
	supervisor.TerminateChild(ctx, sys, sup, "cache")
	fmt.Println(supervisor.DeleteChild(ctx, sys, sup, "cache"))
	sys.Close(ctx)
	// Output:
	// start cache
	// true
	// stop cache - actor: shutdown
	// start cache
	// supervisor: child is running
	// stop cache - actor: shutdown
	// <nil>
}

// A function that runs until its context ends is a child like any other.
func ExampleService() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	refused, connected := make(chan bool, 1), make(chan bool)
	refused <- true // once
	supervisor.Spawn(ctx, sys, supervisor.Spec{
		Children: []supervisor.ChildSpec{{
			ID: "client",
			Start: supervisor.Service(func(ctx context.Context) error {
				select {
				case <-refused:
					fmt.Println("refused")
					return errors.New("connection refused")
				default:
				}
				fmt.Println("connected")
				close(connected)
				<-ctx.Done()
				fmt.Println("told to end:", context.Cause(ctx))
				return nil
			}),
		}},
	})
	<-connected
	sys.Close(ctx)
	// Output:
	// refused
	// connected
	// told to end: actor: shutdown
}

// A Backoff gives what a child needs some time to recover.
func ExampleBackoff() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	began := time.Now()
	runs := make(chan time.Duration, 10)
	supervisor.Spawn(ctx, sys, supervisor.Spec{
		Intensity: supervisor.AtMost(10),
		Children: []supervisor.ChildSpec{{
			ID: "client",
			Start: supervisor.Service(func(ctx context.Context) error {
				runs <- time.Since(began)
				return errors.New("connection refused")
			}),
			Backoff: supervisor.Backoff{Initial: 20 * time.Millisecond, Factor: 2, Jitter: 0.1, Max: time.Second},
		}},
	})
	for _, delay := range []time.Duration{0, 20, 40, 80} {
		<-runs
		fmt.Printf("after a delay of %d ms\n", delay)
	}
	fmt.Println(time.Since(began) > 120*time.Millisecond)
	sys.Close(ctx)
	// Output:
	// after a delay of 0 ms
	// after a delay of 20 ms
	// after a delay of 40 ms
	// after a delay of 80 ms
	// true
}
