package works

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/bench/pair"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

// Note is a small message of a registered type.
type Note struct{ Data []byte }

// The channels of messages that others are not to wait for, and of messages
// whose memory is lent.
const (
	apart = "bulk"
	lent  = "lent"
)

// Pair is Topos as one side of a comparison between two processes, with the
// default limits.
func Pair() pair.Side {
	return pair.Side{Serve: servePair, Dial: dialPair, Apart: true, Lends: true, Bytes: true, Structs: true}
}

// node is a node with its system.
type node struct {
	*remote.Node
	sys *actor.System
}

func startNode(name, listen string, join ...string) (*node, error) {
	n, err := remote.New(remote.Config{
		Name: name, Listen: listen, Join: join, Secret: "of the benchmarks",
		Types:    codec.Types(Note{}),
		Channels: []remote.Channel{{Name: apart}, {Name: lent, Lend: true}},
	})
	if err != nil {
		return nil, err
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err == nil {
		err = n.Start(sys)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close(context.Background()))
	}
	return &node{Node: n, sys: sys}, nil
}

// Addr is the node's name, in which its address is.
func (n *node) Addr() string { return n.ID().Name }

// Close cuts the connections: what matters has arrived.
func (n *node) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(n.sys.Close(ctx), n.Node.Close(ctx))
}

// who is asked of a process of the server, which answers with its PID.
const who = "who"

// receiver hands messages to a sink.
type receiver struct{ sink *pair.Sink }

func (r receiver) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case *types.BytesValue:
		r.sink.Got(m.Value)
	case Note:
		r.sink.Got(m.Data)
	case []byte:
		r.sink.Got(m)
	case string:
		return self.Reply(self.PID())
	}
	return nil
}

// mirror answers with what it gets.
type mirror struct{}

func (mirror) Receive(self *actor.Self, msg any) error {
	if msg == who {
		return self.Reply(self.PID())
	}
	return self.Reply(msg)
}

func sinkName(i int) actor.Name { return actor.Name("sink" + strconv.Itoa(i)) }

const echoName = actor.Name("echo")

func servePair(addr string, to pair.Receivers) (pair.Server, error) {
	n, err := startNode("server", addr)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	_, err = n.sys.Spawn(ctx, mirror{}, echoName)
	for i, s := range to.Sinks {
		_, e := n.sys.Spawn(ctx, receiver{s}, sinkName(i))
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// client knows the PIDs of the server's processes.
type client struct {
	*node
	echo  actor.PID
	sinks []actor.PID
}

func dialPair(addr, server string) (pair.Client, error) {
	n, err := startNode("client", addr, server)
	if err != nil {
		return nil, err
	}
	c := &client{node: n}
	if c.echo, err = n.find(echoName, server); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	for i := range pair.Sinks {
		pid, err := n.find(sinkName(i), server)
		if err != nil {
			return nil, errors.Join(err, n.Close())
		}
		c.sinks = append(c.sinks, pid)
	}
	return c, nil
}

// find asks a name on the server for its PID, until the nodes have met.
func (n *node) find(name actor.Name, server string) (actor.PID, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for {
		pid, err := actor.Call[actor.PID](ctx, n.sys, actor.NameAt{Name: name, Node: server}, who)
		if err == nil || ctx.Err() != nil {
			return pid, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
}

// Run spawns a process that runs f in its Receive.
func (c *client) Run(way pair.Way, f func(pair.Send) error) error {
	to := c.sinks[way.Sink]
	var opts []actor.SendOption
	if way.Apart {
		opts = append(opts, actor.Channel(apart))
	}
	if way.Shape == pair.Lent {
		opts = append(opts, actor.Channel(lent))
	}
	done := make(chan error, 1)
	pid, err := c.sys.Spawn(context.Background(), actor.Func(func(self *actor.Self, _ any) error {
		send := func(payload []byte) error { return self.Send(to, payload, opts...) }
		switch way.Shape {
		case pair.Note:
			send = func(payload []byte) error { return self.Send(to, &types.BytesValue{Value: payload}, opts...) }
		case pair.Struct:
			send = func(payload []byte) error { return self.Send(to, Note{payload}, opts...) }
		}
		done <- f(send)
		return actor.ErrNormal
	}))
	if err == nil {
		err = c.sys.Send(pid, struct{}{})
	}
	if err != nil {
		return err
	}
	return <-done
}

// Request calls the echo.
func (c *client) Request(payload []byte, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	reply, err := actor.Call[[]byte](ctx, c.sys, c.echo, payload)
	if err != nil {
		return nil, fmt.Errorf("call of %v: %w", c.echo, err)
	}
	return reply, nil
}
