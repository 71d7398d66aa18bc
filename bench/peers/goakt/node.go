package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/tochemey/goakt/v4/actor"
	"github.com/tochemey/goakt/v4/log"
	"github.com/tochemey/goakt/v4/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/bench/peers/goakt/pair"
)

// window is what may be on its way of large messages. Goakt lets senders wait,
// but makes one frame of up to 256 messages, which the other side refuses beyond
// 16 MB: what was in it is lost. With this much on its way no frame comes near
// that, and frames, which cannot be larger than 16 MB, need not be configured.
const window = 8 << 20

// between is goakt as one side of a comparison between two processes, in its
// default configuration. Its requests go over other connections than its
// messages, so what holds up the one does not hold up the other.
func between() pair.Side {
	return pair.Side{Serve: serve, Dial: dial, Window: window}
}

// node is a system with remoting.
type node struct {
	sys  actor.ActorSystem
	addr string
}

func start(ctx context.Context, addr string) (*node, error) {
	host, port, err := split(addr)
	if err != nil {
		return nil, err
	}
	sys, err := actor.NewActorSystem("bench",
		actor.WithLogger(log.DiscardLogger), actor.WithRemote(remote.NewConfig(host, port)))
	if err != nil {
		return nil, err
	}
	return &node{sys: sys, addr: addr}, sys.Start(ctx)
}

func split(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

func (n *node) Addr() string { return n.addr }

// Close does nothing: the process is about to end.
func (n *node) Close() error { return nil }

const echo = "echo"

func sinkName(i int) string { return "sink" + strconv.Itoa(i) }

// handler is an actor of one function.
type handler func(*actor.ReceiveContext)

func (handler) PreStart(*actor.Context) error       { return nil }
func (handler) PostStop(*actor.Context) error       { return nil }
func (h handler) Receive(ctx *actor.ReceiveContext) { h(ctx) }

func serve(addr string, to pair.Receivers) (pair.Server, error) {
	ctx := context.Background()
	n, err := start(ctx, addr)
	if err != nil {
		return nil, err
	}
	for i, sink := range to.Sinks {
		_, err := n.sys.Spawn(ctx, sinkName(i), handler(func(ctx *actor.ReceiveContext) {
			if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
				sink.Got(m.Value)
			}
		}))
		if err != nil {
			return nil, err
		}
	}
	_, err = n.sys.Spawn(ctx, echo, handler(func(ctx *actor.ReceiveContext) {
		if m, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
			ctx.Response(m)
		}
	}))
	return n, err
}

// client knows the server's actors.
type client struct {
	*node
	echo  *actor.PID
	sinks []*actor.PID
}

func dial(addr, server string) (pair.Client, error) {
	ctx := context.Background()
	host, port, err := split(server)
	if err != nil {
		return nil, err
	}
	n, err := start(ctx, addr)
	if err != nil {
		return nil, err
	}
	c := &client{node: n}
	find := func(name string) *actor.PID {
		pid, e := n.sys.NoSender().RemoteLookup(ctx, host, port, name)
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", name, e)
		}
		return pid
	}
	c.echo = find(echo)
	for i := range pair.Sinks {
		c.sinks = append(c.sinks, find(sinkName(i)))
	}
	return c, err
}

// Run spawns an actor that runs f.
func (c *client) Run(way pair.Way, f func(pair.Send) error) error {
	ctx := context.Background()
	done := make(chan error, 1)
	name := "sender" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(way.Sink)
	pid, err := c.sys.Spawn(ctx, name, handler(func(rctx *actor.ReceiveContext) {
		if _, ok := rctx.Message().(*wrapperspb.StringValue); ok {
			self, to := rctx.Self(), c.sinks[way.Sink]
			done <- f(func(payload []byte) error {
				return self.Tell(ctx, to, &wrapperspb.BytesValue{Value: payload})
			})
		}
	}))
	if err != nil {
		return err
	}
	if err := actor.Tell(ctx, pid, wrapperspb.String("run")); err != nil {
		return err
	}
	return <-done
}

func (c *client) Request(payload []byte, timeout time.Duration) ([]byte, error) {
	reply, err := actor.Ask(context.Background(), c.echo, &wrapperspb.BytesValue{Value: payload}, timeout)
	if err != nil {
		return nil, err
	}
	return reply.(*wrapperspb.BytesValue).Value, nil
}
