package event_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/event"
)

type alarm struct{ text string }

// counter counts alarms, can be asked how many there were, and hands the number
// over to its successor.
type counter struct{ n int }

func (c *counter) Init(*actor.Self) error {
	fmt.Println("counting begins")
	return nil
}

func (c *counter) Inherit(_ *actor.Self, state any) error {
	c.n, _ = state.(int)
	fmt.Println("counting goes on at", c.n)
	return nil
}

func (c *counter) HandleEvent(_ *actor.Self, e any) (event.Next, error) {
	if _, ok := e.(alarm); ok {
		c.n++
	}
	return event.Next{}, nil
}

func (c *counter) HandleCall(self *actor.Self, _ any) (event.Next, error) {
	return event.Next{}, self.Reply(c.n)
}

func (c *counter) HandleInfo(_ *actor.Self, msg any) (event.Next, error) {
	fmt.Printf("from the kernel: %T\n", msg)
	return event.Next{}, nil
}

func (c *counter) Terminate(_ *actor.Self, end event.End) any {
	fmt.Println(end.Reason)
	return c.n
}

func ExampleHandler() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	mgr, err := sys.Spawn(ctx, event.New())
	if err != nil {
		panic(err)
	}
	fmt.Println(event.Add(ctx, sys, mgr, "counter", new(counter)))
	_ = event.Notify(sys, mgr, alarm{"disk full"})
	_ = event.SyncNotify(ctx, sys, mgr, alarm{"disk on fire"})
	fmt.Println(event.Call[int](ctx, sys, mgr, "counter", "how many?"))
	fmt.Println(event.Replace(ctx, sys, mgr, "counter", event.Swap{Handler: new(counter)}))
	fmt.Println(event.Delete(ctx, sys, mgr, "counter", nil))
	// Output:
	// counting begins
	// <nil>
	// 2 <nil>
	// event: handler swapped
	// counting goes on at 2
	// <nil>
	// event: handler deleted
	// 2 <nil>
}

// The owner of a handler is told when it crashes.
func ExampleAddSupervised() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	mgr, err := sys.Spawn(ctx, event.New())
	if err != nil {
		panic(err)
	}
	pager := event.On(func(*actor.Self, alarm) (event.Next, error) { panic("no network") })
	told := make(chan event.HandlerExit)
	owner, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		if exit, ok := msg.(event.HandlerExit); ok {
			told <- exit
			return nil
		}
		return self.Reply(event.AddSupervised(self.Context(), self, mgr, "pager", pager) == nil)
	}))
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[bool](ctx, sys, owner, "add it"))
	_ = event.Notify(sys, mgr, alarm{"disk full"})
	exit := <-told
	fmt.Println(exit.ID, exit.Reason)
	fmt.Println(event.Which(ctx, sys, mgr))
	// Output:
	// true <nil>
	// pager panic: no network
	// [] <nil>
}
