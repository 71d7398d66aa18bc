package server_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// stack is the stack server of every Erlang course.
type stack struct{ items []string }

type pop struct{}

func (s *stack) HandleCall(self *actor.Self, _ any) (server.Next, error) {
	last := len(s.items) - 1 // popping an empty stack crashes, as it should
	item := s.items[last]
	s.items = s.items[:last]
	return server.Next{}, self.Reply(item)
}

func (s *stack) HandleCast(_ *actor.Self, msg any) (server.Next, error) {
	s.items = append(s.items, msg.(string))
	return server.Next{}, nil
}

func ExampleNew() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	pid, err := sys.Spawn(ctx, server.New(new(stack)))
	if err != nil {
		panic(err)
	}
	sys.Send(pid, "hello")
	sys.Send(pid, "world")
	for range 3 {
		item, err := actor.Call[string](ctx, sys, pid, pop{})
		fmt.Printf("%q %v\n", item, err != nil)
	}
	sys.Close(ctx)
	// Output:
	// "world" false
	// "hello" false
	// "" true
}
