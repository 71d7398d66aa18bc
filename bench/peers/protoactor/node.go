package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/bench/peers/protoactor/pair"
)

// window is what may be on its way of large messages. The queue to another node
// has no bound, and makes one message to gRPC of up to 1,000 that wait in it,
// which the other side refuses beyond gRPC's 4 MB: the connection ends and what
// was on it is lost. With this much on its way no batch comes near that, and
// gRPC need not be configured.
const window = 2 << 20

// between is proto.actor as one side of a comparison between two processes, in
// its default configuration.
func between() pair.Side {
	return pair.Side{Serve: serve, Dial: dial, Window: window}
}

// quiet is the logger of silence.
func quiet(*actor.ActorSystem) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 4}))
}

// node is a system with a remote.
type node struct {
	sys    *actor.ActorSystem
	remote *remote.Remote
}

func start(addr string) (*node, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	sys := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	r := remote.NewRemote(sys, remote.Configure(host, port))
	r.Start()
	return &node{sys: sys, remote: r}, nil
}

func (n *node) Addr() string { return n.sys.Address() }

// Close cuts the connections; the process is about to end.
func (n *node) Close() error {
	n.remote.Shutdown(false)
	return nil
}

const echo = "echo"

func serve(addr string, to pair.Receivers) (pair.Server, error) {
	n, err := start(addr)
	if err != nil {
		return nil, err
	}
	for i, sink := range to.Sinks {
		_, e := n.sys.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
				sink.Got(m.Value)
			}
		}), strconv.Itoa(i))
		if e != nil {
			return nil, e
		}
	}
	_, err = n.sys.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
			ctx.Respond(m)
		}
	}), echo)
	return n, err
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

// Run spawns an actor that runs f.
func (c *client) Run(way pair.Way, f func(pair.Send) error) error {
	to := actor.NewPID(c.server, strconv.Itoa(way.Sink))
	done := make(chan error, 1)
	c.sys.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			done <- f(func(payload []byte) error {
				ctx.Send(to, &wrapperspb.BytesValue{Value: payload})
				return nil
			})
		}
	}))
	return <-done
}

func (c *client) Request(payload []byte, timeout time.Duration) ([]byte, error) {
	to := actor.NewPID(c.server, echo)
	reply, err := c.sys.Root.RequestFuture(to, &wrapperspb.BytesValue{Value: payload}, timeout).Result()
	if err != nil {
		return nil, err
	}
	return reply.(*wrapperspb.BytesValue).Value, nil
}
