// Package rig makes nodes of a system and the remote layer, on a network in
// memory, for tests of what stands on those.
package rig

import (
	"context"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/exchange"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/memory"
)

// Node is a system with the remote layer.
type Node struct {
	*actor.System
	Remote *remote.Node
}

// Config says what a node is.
type Config struct {
	// Name is the node's and its machine's; Join are the names of others.
	Name string
	Join []string
	// Topology is which nodes are linked.
	Topology remote.Topology
	// Types are those of messages.
	Types []codec.Type
	// Names, if not nil, makes its cluster names; Ready is called when the
	// system is there, before the node joins.
	Names func(id actor.NodeID) actor.Names
	Ready func(n *Node)
}

// Start starts a node, which ends with the test.
func Start(t testing.TB, net *memory.Network, cfg Config) *Node {
	t.Helper()
	rc := remote.Config{
		Name: cfg.Name, Listen: cfg.Name + ":4000", Secret: "rig", Types: cfg.Types, Transport: net.Host(cfg.Name),
		Topology: cfg.Topology,
	}
	for _, other := range cfg.Join {
		rc.Join = append(rc.Join, other+":4000")
	}
	r, err := remote.New(rc)
	if err != nil {
		t.Fatal(err)
	}
	sc := actor.Config{Node: r.ID(), Router: r}
	if cfg.Names != nil {
		sc.Names = cfg.Names(r.ID())
	}
	sys, err := actor.NewSystem(sc)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{System: sys, Remote: r}
	if cfg.Ready != nil {
		cfg.Ready(n)
	}
	if err := r.Start(sys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sys.Close(context.Background())
		_ = r.Close(context.Background())
	})
	return n
}

// Cluster is the remote layer as the registry wants it.
func (n *Node) Cluster() Cluster { return Cluster{n.Remote} }

// Cluster is one, with an overlay.
type Cluster struct{ remote *remote.Node }

var _ exchange.Overlay = Cluster{}

// Self is this node.
func (c Cluster) Self() actor.NodeID { return c.remote.ID() }

// Members are the nodes that are not known to be dead.
func (c Cluster) Members() []actor.NodeID {
	var ids []actor.NodeID
	for _, m := range c.remote.Members() {
		ids = append(ids, m.Node)
	}
	return ids
}

// SendControl is the remote layer's.
func (c Cluster) SendControl(to actor.NodeID, topic string, payload []byte) error {
	return c.remote.SendControl(to, topic, payload)
}

// HandleControl is the remote layer's.
func (c Cluster) HandleControl(topic string, f func(from actor.NodeID, payload []byte)) {
	c.remote.HandleControl(topic, f)
}

// Linked, Neighbors, Broadcast and HandleBroadcast are an overlay's.
func (c Cluster) Linked() bool { return c.remote.Topology() == remote.FullMesh }

// Neighbors are the members that the topology connects this one with.
func (c Cluster) Neighbors() []actor.NodeID { return c.remote.Neighbors() }

// Broadcast is the remote layer's.
func (c Cluster) Broadcast(topic string, payload []byte) error {
	return c.remote.Broadcast(topic, payload)
}

// HandleBroadcast is the remote layer's.
func (c Cluster) HandleBroadcast(topic string, f func(from actor.NodeID, payload []byte)) {
	c.remote.HandleBroadcast(topic, f)
}

// Watch calls f for members that come and go.
func (c Cluster) Watch(f func(node actor.NodeID, up bool)) (cancel func()) {
	return c.remote.Subscribe(func(e remote.MemberEvent) { f(e.Node, e.Kind == remote.MemberUp) })
}
