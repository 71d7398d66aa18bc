package actor_test

import (
	"context"
	"errors"
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

// What certainly was not handled may be asked of another process.
func ExampleUnhandled() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	asker := actor.Func(func(self *actor.Self, _ any) error { return self.ReplyError(self.Send(actor.Name("nobody"), "?")) })
	pid, err := sys.Spawn(ctx, asker)
	if err != nil {
		panic(err)
	}

	_, err = actor.Call[any](ctx, sys, actor.Name("nobody"), "?")
	fmt.Println(actor.Unhandled(err), err)
	_, err = actor.Call[any](ctx, sys, pid, "?") // which has been handled
	fmt.Println(actor.Unhandled(err), errors.Is(err, actor.ErrNoProc))
	// Output:
	// true call to nobody: actor: no such process
	// false true
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
