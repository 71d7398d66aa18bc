// Counter is the first program: a supervised counter that crashes and is back.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

type Add struct{ N int }
type Get struct{}

type Counter struct{ n int }

func (c *Counter) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Add:
		if m.N < 0 {
			return fmt.Errorf("cannot add %d", m.N) // let it crash
		}
		c.n += m.N
	case Get:
		return self.Reply(c.n)
	}
	return nil
}

func main() {
	ctx := context.Background()
	node, err := topos.Start(ctx, topos.Config{Name: "a"})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close(ctx)
	counter := actor.ClusterName("counter")
	node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "counter", Start: actor.Start(func() actor.Actor { return new(Counter) }, counter)},
	}})

	node.Send(counter, Add{2})
	fmt.Println(actor.Call[int](ctx, node, counter, Get{})) // 2 <nil>
	_, err = actor.Call[int](ctx, node, counter, Add{-1})
	fmt.Println(err)                                        // call to counter: cannot add -1
	node.Await(ctx, counter)                                // its supervisor starts it anew
	fmt.Println(actor.Call[int](ctx, node, counter, Get{})) // 0 <nil>
}
