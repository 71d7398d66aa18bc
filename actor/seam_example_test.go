package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// job has an Init, which can refuse, and a Terminate, which cleans up.
type job struct{ name string }

func (j *job) Init(*actor.Self) error {
	if j.name == "" {
		return errors.New("a job needs a name")
	}
	fmt.Println("opened", j.name)
	return nil
}

func (j *job) Receive(*actor.Self, any) error { return fmt.Errorf("%s is broken", j.name) }

func (j *job) Terminate(_ *actor.Self, reason error) { fmt.Println("closed:", reason) }

func ExampleInitializer() {
	sys, ctx := start()
	defer sys.Close(ctx)
	_, err := sys.Spawn(ctx, &job{})
	fmt.Println(err)
	pid, err := sys.Spawn(ctx, &job{"the file"})
	if err != nil {
		panic(err)
	}
	_, err = actor.Call[int](ctx, sys, pid, "work")
	fmt.Println(errors.Is(err, actor.ErrNoProc), err != nil)
	// Output:
	// a job needs a name
	// opened the file
	// closed: the file is broken
	// false true
}

// A StartFunc is all that a supervisor knows of a child.
func ExampleStart() {
	sys, ctx := start()
	defer sys.Close(ctx)
	var startAccount actor.StartFunc = actor.Start(func() actor.Actor { return new(account) }, actor.Name("account"))
	parent := actor.Func(func(self *actor.Self, _ any) error {
		child, err := startAccount(self)
		if err != nil {
			return err
		}
		info, _ := self.System().Info(child)
		return self.Reply(info.Names[0])
	})
	pid, err := sys.Spawn(ctx, parent)
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[actor.Name](ctx, sys, pid, "go"))
	// Output: account <nil>
}

// A trace travels with a message.
func ExampleTraced() {
	sys, ctx := start()
	defer sys.Close(ctx)
	seen := make(chan string)
	pid, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, _ any) error {
		seen <- string(actor.TraceFrom(self.Context()))
		return nil
	}))
	if err != nil {
		panic(err)
	}
	var from actor.Sender = sys
	var option actor.SendOption = actor.Traced([]byte("request 17"))
	from.Send(pid, "work", option)
	fmt.Println(<-seen)
	// Output: request 17
}

// loopback is the smallest Router: it hands every signal to the one other
// system. A real one encodes it, sends it over a connection and decodes it.
type loopback struct{ other *actor.System }

func (l *loopback) Route(sig actor.Signal) error {
	if sig.Kind == actor.SignalReply && sig.Reason == nil {
		data, err := json.Marshal(sig.Msg)
		if err != nil {
			return err
		}
		sig.Msg = encoded(data)
	}
	sig.Origin = sig.From.NodeHandle()
	l.other.Deliver(sig)
	return nil
}

// encoded is a reply whose type only the caller knows.
type encoded []byte

func (e encoded) DecodeInto(target any) error { return json.Unmarshal(e, target) }

func ExampleRouter() {
	ctx := context.Background()
	node := func(name string) (*actor.System, *loopback) {
		router := new(loopback)
		id := actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1}}
		sys, err := actor.NewSystem(actor.Config{Node: id, Router: router})
		if err != nil {
			panic(err)
		}
		return sys, router
	}
	a, toB := node("a@host:1")
	b, toA := node("b@host:2")
	toB.other, toA.other = b, a
	defer a.Close(ctx)
	defer b.Close(ctx)

	pid, err := b.Spawn(ctx, &account{cents: 100})
	if err != nil {
		panic(err)
	}
	// A process on a asks, since the loopback reads the origin from the sender.
	asker, err := a.Spawn(ctx, actor.Func(func(self *actor.Self, _ any) error {
		cents, err := actor.Call[int](ctx, self, pid, balance{})
		if err != nil {
			return err
		}
		return self.Reply(cents)
	}))
	if err != nil {
		panic(err)
	}
	var asked actor.Encoded = encoded("100")
	var cents int
	fmt.Println(asked.DecodeInto(&cents), cents)
	fmt.Println(actor.Call[int](ctx, a, asker, "ask"))
	// Output:
	// <nil> 100
	// 100 <nil>
}

// valve is a router that counts how often it may go on.
type valve struct {
	loopback
	open chan actor.PID
}

func (v *valve) Relieved(pid actor.PID) { v.open <- pid }

// A process that does not keep up with the mail from other nodes holds up its
// senders, and nobody else.
func ExampleThrottle() {
	ctx := context.Background()
	v := &valve{open: make(chan actor.PID, 1)}
	var router actor.Throttle = v
	sys, err := actor.NewSystem(actor.Config{Router: router, Budget: 1 << 20})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	begin := make(chan struct{})
	slow, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error {
		<-begin
		return nil
	}))
	if err != nil {
		panic(err)
	}
	mail := actor.Signal{Kind: actor.SignalMessage, To: slow, Msg: "a picture", Size: 600 << 10}
	fmt.Println("too much:", sys.Deliver(mail))
	fmt.Println("too much:", sys.Deliver(mail))
	close(begin)
	fmt.Println("go on:", <-v.open == slow)
	// Output:
	// too much: false
	// too much: true
	// go on: true
}

// buffer is memory for one message at a time.
type buffer [64]byte

func (b *buffer) Return() { fmt.Println("used again from now on") }

// A router lends a message; who keeps it says so.
func ExampleLoan() {
	sys, ctx := start()
	defer sys.Close(ctx)
	handled := make(chan struct{})
	pid, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		switch m := msg.(type) {
		case []byte:
			if fmt.Printf("%s\n", m); string(m) == "keep" {
				self.Retain()
			}
		default:
			close(handled)
		}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"look", "keep"} {
		b := new(buffer)
		var lent actor.Loan = b
		sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: pid, Msg: b[:copy(b[:], text)], Loan: lent})
	}
	_ = sys.Send(pid, "no more")
	<-handled
	// Output:
	// look
	// used again from now on
	// keep
}

// express is a loopback that carries plain messages without a Signal.
type express struct{ loopback }

func (e *express) Carry(from, to actor.PID, msg any) error {
	fmt.Println("carried:", msg)
	in := e.other.Inflow()
	in.Deliver(from, to, msg, 0)
	in.Flush()
	return nil
}

func ExampleCarrier() {
	var router express
	var carrier actor.Carrier = &router
	id := actor.NodeID{Name: "a@host:1", Incarnation: actor.Incarnation{Boot: 1}}
	a, err := actor.NewSystem(actor.Config{Node: id, Router: carrier})
	if err != nil {
		panic(err)
	}
	b, ctx := start()
	router.other = b
	defer a.Close(ctx)
	defer b.Close(ctx)

	seen := make(chan any)
	pid, err := b.Spawn(ctx, actor.Func(func(_ *actor.Self, msg any) error {
		seen <- msg
		return nil
	}))
	if err != nil {
		panic(err)
	}
	fmt.Println(a.Send(pid, "hello"), <-seen)
	fmt.Println(a.Send(pid, "again", actor.Key("k")), <-seen) // has an option: routed
	// Output:
	// carried: hello
	// <nil> hello
	// <nil> again
}
