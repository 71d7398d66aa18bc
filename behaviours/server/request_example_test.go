package server_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// doubler answers with twice what it is asked.
type doubler struct{}

func (doubler) HandleCall(self *actor.Self, req any) (server.Next, error) {
	return server.Next{}, self.Reply(2 * req.(int))
}

func (doubler) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

func startDoubler(ctx context.Context) (*actor.System, actor.PID) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	pid, err := sys.Spawn(ctx, server.New(doubler{}), actor.Name("doubler"))
	if err != nil {
		panic(err)
	}
	return sys, pid
}

// Many requests are on their way at the same time, each with a label.
func ExampleRequests() {
	ctx := context.Background()
	sys, pid := startDoubler(ctx)
	defer sys.Close(ctx)

	var requests server.Requests[string, int]
	requests.Send(ctx, sys, pid, 1, "one")
	requests.Send(ctx, sys, pid, 2, "two")
	requests.Send(ctx, sys, actor.Name("nobody"), 3, "three")
	answers := make(map[string]int)
	for requests.Len() > 0 {
		response, err := requests.Wait(ctx)
		if err != nil {
			panic(err)
		}
		if response.Err == nil {
			answers[response.Label] = response.Value
		}
	}
	fmt.Println(answers)
	// Output: map[one:2 two:4]
}

// A server is called by its name on several nodes at once.
func ExampleMultiCall() {
	ctx := context.Background()
	sys, _ := startDoubler(ctx)
	defer sys.Close(ctx)

	nodes := []string{sys.Node().Name, "other@10.0.0.2:7000"}
	server.Abcast(sys, nodes, "doubler", "a cast, for which nobody waits")
	replies, bad := server.MultiCall[int](ctx, sys, nodes, "doubler", 4)
	fmt.Println(replies)
	for _, b := range bad {
		fmt.Println(b)
	}
	// Output:
	// [{local 8}]
	// other@10.0.0.2:7000: call to doubler on other@10.0.0.2:7000: actor: system is not part of a cluster
}

func ExampleStop() {
	ctx := context.Background()
	sys, pid := startDoubler(ctx)
	defer sys.Close(ctx)

	fmt.Println(server.Stop(ctx, sys, pid, nil), sys.Alive(pid))
	// Output: <nil> false
}
