package actor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// printer prints what happens to it, and says when it has seen enough.
func printer(n int) (a actor.Func, done chan struct{}) {
	done = make(chan struct{})
	return func(self *actor.Self, msg any) error {
		switch m := msg.(type) {
		case do:
			return m(self)
		case actor.Down:
			fmt.Println("down:", m.Of, m.Reason)
		case actor.Exit:
			fmt.Println("exit:", m.Reason)
		default:
			fmt.Println("got", m)
		}
		if n--; n == 0 {
			close(done)
		}
		return nil
	}, done
}

// start starts the system of an example.
func start() (sys *actor.System, ctx context.Context) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	return sys, context.Background()
}

type deposit int

type balance struct{}

// account is an actor: its fields need no lock.
type account struct{ cents int }

func (a *account) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case deposit:
		a.cents += int(m)
	case balance:
		return self.Reply(a.cents)
	}
	return nil
}

func Example() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, err := sys.Spawn(ctx, new(account), actor.Name("account"))
	if err != nil {
		panic(err)
	}
	_ = sys.Send(pid, deposit(40))
	_ = sys.Send(actor.Name("account"), deposit(2))
	cents, err := actor.Call[int](ctx, sys, pid, balance{})
	fmt.Println(cents, err)
	// Output: 42 <nil>
}

func ExampleCall() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(_ *actor.Self, _ any) error { return errors.New("out of paper") }))
	_, err := actor.Call[string](ctx, sys, pid, "print this")
	fmt.Println(err) // at once, not after the deadline
	// Output: call to <local/0-/0.1>: out of paper
}

func ExampleSelf_TrapExit() {
	sys, ctx := start()
	defer sys.Close(ctx)
	a, done := printer(1)
	pid, _ := sys.Spawn(ctx, a)
	_ = sys.Send(pid, do(func(self *actor.Self) error {
		self.TrapExit(true) // otherwise it would end with its child
		child, err := self.SpawnLink(actor.Func(func(*actor.Self, any) error { panic("oops") }))
		_ = self.Send(child, "work")
		return err
	}))
	<-done
	// Output: exit: panic: oops
}

func ExampleSelf_Monitor() {
	sys, ctx := start()
	defer sys.Close(ctx)
	a, done := printer(1)
	watcher, _ := sys.Spawn(ctx, a)
	_, _ = sys.Spawn(ctx, new(account), actor.Name("account"))
	_ = sys.Send(watcher, do(func(self *actor.Self) error {
		self.Monitor(actor.Name("account"))
		pid, _ := sys.Whereis("account")
		return self.Exit(pid, actor.ErrShutdown)
	}))
	<-done
	// Output: down: account actor: shutdown
}

func ExampleSelf_Register() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		return self.ReplyError(self.Register(msg.(actor.Name)))
	}))
	_, err := actor.Call[any](ctx, sys, pid, actor.Name("reception"))
	holder, ok := sys.Whereis("reception")
	fmt.Println(err, holder == pid, ok)
	// Output: <nil> true true
}

func ExampleSelf_Alias() {
	sys, ctx := start()
	defer sys.Close(ctx)
	var alias actor.PID
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) (err error) {
		switch msg {
		case "open":
			alias, err = self.Alias()
		case "close":
			self.Unalias(alias)
		}
		_ = self.Reply(msg)
		return err
	}))
	_, _ = actor.Call[string](ctx, sys, pid, "open")
	fmt.Println(actor.Call[string](ctx, sys, alias, "hello"))
	_, _ = actor.Call[string](ctx, sys, pid, "close")
	fmt.Println(sys.Send(alias, "hello"))
	// Output:
	// hello <nil>
	// actor: no such process
}

func ExampleSelf_SendAfter() {
	sys, ctx := start()
	defer sys.Close(ctx)
	a, done := printer(1)
	pid, _ := sys.Spawn(ctx, a)
	_ = sys.Send(pid, do(func(self *actor.Self) error {
		self.SendAfter(time.Millisecond, "later")
		self.CancelTimer(self.SendAfter(0, "never"))
		return nil
	}))
	<-done
	// Output: got later
}

func ExampleSelf_SetReceiveTimeout() {
	sys, ctx := start()
	defer sys.Close(ctx)
	a, done := printer(1)
	pid, _ := sys.Spawn(ctx, a)
	_ = sys.Send(pid, do(func(self *actor.Self) error {
		self.SetReceiveTimeout(time.Millisecond)
		return nil
	}))
	<-done
	// Output: got {}
}

// door stashes calls while it is closed.
type door struct{ open bool }

func (d *door) Receive(self *actor.Self, msg any) error {
	switch {
	case msg == "open":
		d.open = true
		self.UnstashAll()
	case !d.open:
		return self.Stash(msg) // the caller goes on waiting
	default:
		return self.Reply(fmt.Sprint("come in, ", msg))
	}
	return nil
}

func ExampleSelf_Stash() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, new(door))
	time.AfterFunc(time.Millisecond, func() { _ = sys.Send(pid, "open") })
	fmt.Println(actor.Call[string](ctx, sys, pid, "Joe"))
	// Output: come in, Joe <nil>
}

func ExampleSelf_Become() {
	sys, ctx := start()
	defer sys.Close(ctx)
	var happy, sad actor.Func
	happy = func(self *actor.Self, _ any) error { _ = self.Become(sad); return self.Reply(":-)") }
	sad = func(self *actor.Self, _ any) error { self.Unbecome(); return self.Reply(":-(") }
	pid, _ := sys.Spawn(ctx, happy)
	for range 3 {
		fmt.Println(actor.Call[string](ctx, sys, pid, "how are you?"))
	}
	// Output:
	// :-) <nil>
	// :-( <nil>
	// :-) <nil>
}

// accountMessage is what an account understands.
type accountMessage interface{ account() }

type query struct{ actor.Returns[string] }

func (query) account() {}

func ExampleAsk() {
	sys, ctx := start()
	defer sys.Close(ctx)
	pid, _ := sys.Spawn(ctx, actor.Func(func(self *actor.Self, _ any) error { return self.Reply("42 cents") }))
	ref := actor.RefOf[accountMessage](pid)
	text, err := actor.Ask(ctx, sys, ref, query{}) // a string, says query
	fmt.Println(text, err)
	// Output: 42 cents <nil>
}
