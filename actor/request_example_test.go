package actor_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// A request is sent now, and its response looked at later.
func ExampleSendRequest() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	doubler := actor.Func(func(self *actor.Self, msg any) error { return self.Reply(2 * msg.(int)) })
	pid, err := sys.Spawn(ctx, doubler)
	if err != nil {
		panic(err)
	}

	request := actor.SendRequest[int](ctx, sys, pid, 21)
	// ... something else ...
	fmt.Println(request.Wait(ctx))
	// Output: 42 <nil>
}

// Whoever runs what others have written says where that panicked.
func ExampleNewPanicError() {
	run := func(f func()) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = actor.NewPanicError(v)
			}
		}()
		f()
		return nil
	}
	fmt.Println(run(func() { panic("out of ideas") }))
	// Output: panic: out of ideas
}
