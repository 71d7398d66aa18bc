package crdtactor_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

func exampleCounter(ctx context.Context) (*actor.System, actor.PID) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	pid, err := sys.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: "visits", New: func() *crdt.PNCounter { return new(crdt.PNCounter) },
		Members: func() []actor.NodeID { return []actor.NodeID{sys.Node()} },
	}), actor.Name("visits"))
	if err != nil {
		panic(err)
	}
	return sys, pid
}

func ExampleWatch() {
	ctx := context.Background()
	sys, visits := exampleCounter(ctx)
	defer sys.Close(ctx)
	seen := make(chan int64, 16)
	stop, err := crdtactor.Watch(ctx, sys, visits, func(c *crdt.PNCounter) { seen <- c.Value() })
	if err != nil {
		panic(err)
	}
	defer stop()
	fmt.Println(<-seen) // what it is now
	err = crdtactor.Update(ctx, sys, visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
		return c.Add(me, 5)
	})
	fmt.Println(<-seen, err)
	// Output:
	// 0
	// 5 <nil>
}

// A process that is told of changes says when it has seen one.
func ExampleChanged() {
	ctx := context.Background()
	sys, visits := exampleCounter(ctx)
	defer sys.Close(ctx)
	told := make(chan actor.Name)
	pid, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		if c, ok := msg.(crdtactor.Changed); ok {
			c.Seen(self)
			told <- c.Name
		}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	if _, err := crdtactor.Notify(ctx, sys, visits, pid); err != nil {
		panic(err)
	}
	err = crdtactor.Update(ctx, sys, visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
		return c.Add(me, 5)
	})
	fmt.Println(<-told, err)
	// Output: visits <nil>
}
