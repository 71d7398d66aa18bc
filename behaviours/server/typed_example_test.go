package server_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// A lock is asked for by name. Whoever asks for one that is held waits.
type acquire struct{ who string }

type release struct{}

type lock struct {
	holder  string
	waiting []func()
}

func (l *lock) HandleCall(_ *actor.Self, req acquire, caller server.Caller[string]) (server.Next, error) {
	if l.holder == "" {
		l.holder = req.who
		return server.Next{}, caller.Reply("yours at once")
	}
	later := caller.Later()
	l.waiting = append(l.waiting, func() {
		l.holder = req.who
		later.Reply("yours after a while")
	})
	return server.Next{}, nil
}

func (l *lock) HandleCast(_ *actor.Self, _ release) (server.Next, error) {
	l.holder = ""
	if len(l.waiting) > 0 {
		l.waiting[0]()
		l.waiting = l.waiting[1:]
	}
	return server.Next{}, nil
}

// The compiler checks who asks what, and what comes back.
func ExampleTyped() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	pid, err := sys.Spawn(ctx, server.New(server.Typed(&lock{})))
	if err != nil {
		panic(err)
	}
	client := server.ClientOf[acquire, string, release](pid)

	fmt.Println(client.Call(ctx, sys, acquire{"a"}))
	second := client.Request(ctx, sys, acquire{"b"})
	_ = client.Cast(sys, release{})
	fmt.Println(second.Wait(ctx))
	// Output:
	// yours at once <nil>
	// yours after a while <nil>
}
