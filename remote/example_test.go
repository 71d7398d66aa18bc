package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/memory"
)

// Deposit and Balance are the messages of an account.
type (
	Deposit struct{ Amount int }
	Balance struct{}
)

type account struct{ balance int }

func (a *account) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Deposit:
		if m.Amount < 0 {
			return fmt.Errorf("deposit of %d: %w", m.Amount, io.ErrUnexpectedEOF)
		}
		a.balance += m.Amount
	case Balance:
		return self.Reply(a.balance)
	}
	return nil
}

// join starts a node on a network in memory. In a program, Transport is left
// out, which means remote.TCP.
func join(network *memory.Network, name string, seeds ...string) (*remote.Node, *actor.System) {
	node, err := remote.New(remote.Config{
		Name:      name,
		Listen:    name + ":1",
		Secret:    "known to all nodes",
		Join:      seeds,
		Types:     codec.Types(Deposit{}, Balance{}),
		Transport: network.Host(name),
	})
	if err != nil {
		panic(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
	if err != nil {
		panic(err)
	}
	if err := node.Start(sys); err != nil {
		panic(err)
	}
	return node, sys
}

// A process on one node serves another; then it crashes, and the caller learns
// why.
func Example() {
	ctx := context.Background()
	network := memory.NewNetwork()
	a, sysA := join(network, "a")
	b, sysB := join(network, "b", a.Addr())

	met := make(chan actor.NodeID)
	b.Subscribe(func(ev remote.MemberEvent) { met <- ev.Node })
	fmt.Println("b has met", (<-met).Name)

	pid, _ := sysA.Spawn(ctx, &account{}, actor.Name("account"))
	_ = sysB.Send(pid, Deposit{5})
	at := actor.NameAt{Name: "account", Node: a.ID().Name}
	balance, err := actor.Call[int](ctx, sysB, at, Balance{})
	fmt.Println("balance:", balance, err)

	_, err = actor.Call[int](ctx, sysB, pid, Deposit{-1})
	fmt.Println(err != nil, errors.Is(err, io.ErrUnexpectedEOF))

	for _, closing := range []func(context.Context) error{sysB.Close, b.Leave, sysA.Close, a.Leave} {
		if err := closing(ctx); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("signals b sent:", b.Stats().Sent)
	// Output:
	// b has met a@a:1
	// balance: 5 <nil>
	// true true
	// signals b sent: 3
}

// Layers above exchange payloads of their own by topic. What comes from a node
// comes after it is up, and in the order sent.
func ExampleNode_SendControl() {
	ctx := context.Background()
	network := memory.NewNetwork()
	a, sysA := join(network, "a")
	done := make(chan struct{})
	a.HandleControl("greetings", func(from actor.NodeID, payload []byte) {
		fmt.Printf("%s from %s\n", payload, from.Name)
		close(done)
	})
	b, sysB := join(network, "b", a.Addr())
	b.Subscribe(func(ev remote.MemberEvent) {
		if ev.Kind == remote.MemberUp {
			_ = b.SendControl(ev.Node, "greetings", []byte("hello"))
		}
	})
	<-done
	_, _, _, _ = sysA.Close(ctx), sysB.Close(ctx), a.Close(ctx), b.Close(ctx)
	// Output:
	// hello from b@b:1
}

// office is a System that only counts: what a Node needs of one.
type office struct{ delivered, down int }

func (o *office) Deliver(actor.Signal) bool    { o.delivered++; return false }
func (o *office) NodeDown(actor.NodeID, error) { o.down++ }

// New opens the listener, so that the node's name is known before the system
// is made.
func ExampleNew() {
	node, err := remote.New(remote.Config{Name: "shop", Secret: "s", Transport: remote.TCP{}, Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(node.ID().Incarnation, node.Addr() != "")
	if err := node.Start(new(office)); err != nil {
		panic(err)
	}
	fmt.Println(node.Leave(context.Background()))
	// Output:
	// 1-x true
	// <nil>
}

// Nodes that share a processor with others had better not wait busily, or for
// less time: then they need a Transport of their own. Both may talk to nodes that
// do.
func ExampleBusyWait() {
	for _, wait := range []*remote.BusyWait{nil, remote.NewBusyWait(50 * time.Microsecond)} {
		node, err := remote.New(remote.Config{Name: "shop", Secret: "s", Transport: remote.TCP{BusyWait: wait}})
		if err != nil {
			panic(err)
		}
		fmt.Println(node.Start(new(office)), node.Leave(context.Background()))
	}
	// Output:
	// <nil> <nil>
	// <nil> <nil>
}

// What a node broadcasts is handled on every node, its own included. Causes are
// handled before what they have caused.
func ExampleNode_Broadcast() {
	network, ctx := memory.NewNetwork(), context.Background()
	a, sysA := join(network, "a")
	b, sysB := join(network, "b", a.Addr())
	met := make(chan struct{})
	cancel := a.Subscribe(func(remote.MemberEvent) { close(met) })
	<-met
	cancel()

	handled := make(chan string, 2)
	a.HandleBroadcast("prices", func(from actor.NodeID, payload []byte) { handled <- fmt.Sprintf("a: %s", payload) })
	b.HandleBroadcast("prices", func(from actor.NodeID, payload []byte) { handled <- fmt.Sprintf("b: %s", payload) })
	if err := a.Broadcast("prices", []byte("bread 3.20"), remote.InCausalOrder()); err != nil {
		panic(err)
	}
	fmt.Println(<-handled)
	fmt.Println(<-handled)

	_ = a.Close(ctx)
	_ = b.Close(ctx)
	_, _ = sysA.Close(ctx), sysB.Close(ctx)
	// Unordered output:
	// a: bread 3.20
	// b: bread 3.20
}
