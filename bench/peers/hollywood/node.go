package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/anthdm/hollywood/actor"
	"github.com/anthdm/hollywood/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/bench/peers/hollywood/pair"
)

// window is what may be on its way of large messages. Hollywood's queue to
// another node has no bound, and makes one frame of up to 4,096 messages that
// wait in it, which the other side refuses beyond 4 MB: the connection ends and
// what was on it is lost. With this much on its way no frame comes near that,
// and the buffer need not be configured.
const window = 2 << 20

// between is hollywood as one side of a comparison between two processes, in its
// default configuration.
func between() pair.Side {
	return pair.Side{Serve: serve, Dial: dial, Window: window}
}

// node is an engine with a remote.
type node struct {
	engine *actor.Engine
	remote *remote.Remote
	addr   string
}

func start(addr string) (*node, error) {
	r := remote.New(addr, remote.NewConfig())
	e, err := actor.NewEngine(actor.NewEngineConfig().WithRemote(r))
	if err != nil {
		return nil, err
	}
	return &node{engine: e, remote: r, addr: addr}, nil
}

func (n *node) Addr() string { return n.addr }

// Close stops listening; the process is about to end.
func (n *node) Close() error {
	n.remote.Stop()
	return nil
}

// The kind and the ids of the server's actors.
const (
	kind = "bench"
	echo = "echo"
)

func serve(addr string, to pair.Receivers) (pair.Server, error) {
	n, err := start(addr)
	if err != nil {
		return nil, err
	}
	for i, sink := range to.Sinks {
		n.engine.SpawnFunc(func(ctx *actor.Context) {
			if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
				sink.Got(m.Value)
			}
		}, kind, actor.WithID(strconv.Itoa(i)))
	}
	n.engine.SpawnFunc(func(ctx *actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
			ctx.Respond(m)
		}
	}, kind, actor.WithID(echo))
	return n, nil
}

// client knows the server's address.
type client struct {
	*node
	server string
}

func dial(addr, server string) (pair.Client, error) {
	n, err := start(addr)
	if err != nil {
		return nil, err
	}
	c := &client{node: n, server: server}
	// The first request makes the connections.
	if _, err := c.Request([]byte("hello"), 5*time.Second); err != nil {
		return nil, fmt.Errorf("server does not answer: %w", err)
	}
	return c, nil
}

func (c *client) pid(id string) *actor.PID { return actor.NewPID(c.server, kind+"/"+id) }

// Run spawns an actor that runs f.
func (c *client) Run(way pair.Way, f func(pair.Send) error) error {
	to := c.pid(strconv.Itoa(way.Sink))
	done := make(chan error, 1)
	c.engine.SpawnFunc(func(ctx *actor.Context) {
		if _, ok := ctx.Message().(actor.Started); ok {
			done <- f(func(payload []byte) error {
				c.engine.Send(to, &wrapperspb.BytesValue{Value: payload})
				return nil
			})
		}
	}, kind)
	return <-done
}

func (c *client) Request(payload []byte, timeout time.Duration) ([]byte, error) {
	reply, err := c.engine.Request(c.pid(echo), &wrapperspb.BytesValue{Value: payload}, timeout).Result()
	if err != nil {
		return nil, err
	}
	return reply.(*wrapperspb.BytesValue).Value, nil
}
