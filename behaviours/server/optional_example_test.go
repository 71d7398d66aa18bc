package server_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// cache uses every optional callback: it is quick to start and loads the rest
// when it has been spawned, watches its source, and gives up when nobody asks.
type cache struct {
	source  actor.PID
	entries map[string]string
	loaded  chan struct{}
	ended   chan string
}

type load struct{}

const idle = time.Millisecond

func (c *cache) Init(self *actor.Self) (server.Next, error) {
	self.Monitor(c.source)
	return server.Next{Continue: load{}}, nil
}

func (c *cache) HandleContinue(*actor.Self, any) (server.Next, error) {
	c.entries = map[string]string{"colour": "blue"}
	close(c.loaded)
	return server.Next{}, nil
}

func (c *cache) HandleCall(self *actor.Self, req any) (server.Next, error) {
	return server.Next{}, self.Reply(c.entries[req.(string)])
}

func (c *cache) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

func (c *cache) HandleInfo(_ *actor.Self, msg any) (server.Next, error) {
	c.ended <- fmt.Sprint("source is down: ", msg.(actor.Down).Reason)
	return server.Next{Timeout: idle}, nil
}

func (c *cache) HandleTimeout(*actor.Self) (server.Next, error) {
	c.ended <- "nobody asks"
	return server.Next{}, actor.ErrNormal
}

func ExampleNext() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	source, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { return nil }))
	if err != nil {
		panic(err)
	}
	c := &cache{source: source, loaded: make(chan struct{}), ended: make(chan string)}
	pid, err := sys.Spawn(ctx, server.New(c))
	if err != nil {
		panic(err)
	}
	<-c.loaded
	fmt.Println(actor.Call[string](ctx, sys, pid, "colour"))
	sys.Exit(source, actor.ErrShutdown)
	fmt.Println(<-c.ended)
	fmt.Println(<-c.ended)
	// Output:
	// blue <nil>
	// source is down: actor: shutdown
	// nobody asks
}
