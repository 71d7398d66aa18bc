package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

const (
	topic = "news"
	// closing is how long a node may take to close: they do so by the hundred.
	closing = time.Minute
)

// node is a node with its system.
type node struct {
	*remote.Node
	sys   *actor.System
	known atomic.Int64 // how many others are members
}

// start starts node i, whose broadcasts e hears, and whose doubts d counts.
func start(i int, join []string, e *ear, d *doubts) (*node, error) {
	n, err := remote.New(remote.Config{
		Name: fmt.Sprint("n", i), Secret: "of the benchmarks", Join: join, Topology: remote.HyParView,
	})
	if err != nil {
		return nil, err
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		return nil, err
	}
	n.HandleBroadcast(topic, func(_ actor.NodeID, payload []byte) { e.hear(payload) })
	made := &node{Node: n, sys: sys}
	n.Observe(func(ev remote.Event) { d.see(n.ID().Name, ev) })
	n.Subscribe(func(ev remote.MemberEvent) {
		if ev.Kind == remote.MemberUp {
			made.known.Add(1)
		} else {
			made.known.Add(-1)
		}
	})
	return made, n.Start(sys)
}

// end cuts the node's connections, as a crash does.
func (n *node) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return errors.Join(n.Close(ctx), n.sys.Close(ctx))
}
