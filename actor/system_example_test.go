package actor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

func ExampleMailbox() {
	sys, ctx := start()
	defer sys.Close(ctx)
	gate, began := make(chan struct{}), make(chan struct{}, 4)
	pid, _ := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { began <- struct{}{}; <-gate; return nil }),
		actor.Mailbox{Capacity: 2, Overflow: actor.OverflowFail})
	_ = sys.Send(pid, "in hand")
	<-began
	for i := range 3 {
		fmt.Println(i, sys.Send(pid, i))
	}
	close(gate)
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 actor: mailbox full
}

func ExampleSelf_Context() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, _ any) error {
		query := self.Context() // to be handed to a database, say
		_, limited := query.Deadline()
		return self.Reply(fmt.Sprint(limited, " ", string(actor.TraceFrom(query))))
	}))
	ctx, cancel := context.WithTimeout(actor.ContextWithTrace(ctx, []byte("00-4bf9-01")), time.Minute)
	defer cancel()
	fmt.Println(actor.Call[string](ctx, sys, pid, "query"))
	// Output: true 00-4bf9-01 <nil>
}

func ExampleSystem_Trees() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, _ any) error {
		_, err := self.SpawnLink(new(account), actor.Name("account"))
		return self.ReplyError(err)
	}), actor.Label("bank"))
	_, _ = actor.Call[any](ctx, sys, pid, "found an account")
	for _, tree := range sys.Trees() {
		fmt.Println(tree.Label, tree.Type)
		for _, child := range tree.Children {
			fmt.Println("  ", child.Names, child.Type, child.Status)
		}
	}
	// Output:
	// bank actor.Func
	//    [account] *actor_test.account idle
}

func ExampleSystem_Observe() {
	sys, ctx := start()
	defer sys.Close(ctx)
	defer sys.Observe(func(e actor.Event) {
		if letter, ok := e.(actor.DeadLetter); ok {
			fmt.Printf("dead letter to %v: %v (%v)\n", letter.To, letter.Message, letter.Reason)
		}
	})()
	_ = sys.Send(actor.Name("nobody"), "hello?")
	fmt.Println(sys.Stats().DeadLetters)
	// Output:
	// dead letter to nobody: hello? (actor: no such process)
	// 1
}

func ExampleSystem_Kill() {
	sys, err := actor.NewSystem(actor.Config{KillGrace: time.Millisecond})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	events := make(chan actor.Event, 8)
	sys.Observe(func(e actor.Event) { events <- e })
	stuck, began := make(chan struct{}), make(chan struct{})
	pid, _ := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { close(began); <-stuck; return nil }), actor.Name("worker"))
	_ = sys.Send(pid, "work")
	<-began

	_ = sys.Kill(pid)
	fmt.Printf("%T\n", <-events)
	fmt.Println((<-events).(actor.ProcessExited).Reason)
	_, taken := sys.Whereis("worker")
	fmt.Println("name taken:", taken, "zombies:", sys.Stats().Zombies)

	close(stuck)
	fmt.Printf("%T\n", <-events)
	fmt.Println(sys.Close(ctx))
	// Output:
	// actor.ZombieFound
	// actor: zombie
	// name taken: false zombies: 1
	// actor.ZombieReturned
	// <nil>
}

func ExampleFrom() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		from := self.From()                                                                // the caller goes on waiting
		time.AfterFunc(time.Millisecond, func() { from.Reply(fmt.Sprint("done: ", msg)) }) // while the process handles other messages
		return nil
	}))
	fmt.Println(actor.Call[string](ctx, sys, pid, "long work"))
	// Output: done: long work <nil>
}
