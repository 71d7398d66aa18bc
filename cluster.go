package topos

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/remote"
)

// cluster is the remote layer as the registry wants it.
type cluster struct{ remote *remote.Node }

var _ registry.Overlay = cluster{} // who is none sends everything to everybody

func (c cluster) Self() actor.NodeID { return c.remote.ID() }

func (c cluster) Members() []actor.NodeID {
	members := c.remote.Members()
	ids := make([]actor.NodeID, len(members))
	for i, m := range members {
		ids[i] = m.Node
	}
	return ids
}

func (c cluster) SendControl(to actor.NodeID, topic string, payload []byte) error {
	return c.remote.SendControl(to, topic, payload)
}

func (c cluster) HandleControl(topic string, f func(from actor.NodeID, payload []byte)) {
	c.remote.HandleControl(topic, f)
}

func (c cluster) Watch(f func(node actor.NodeID, up bool)) (cancel func()) {
	return c.remote.Subscribe(func(e remote.MemberEvent) { f(e.Node, e.Kind == remote.MemberUp) })
}

func (c cluster) Linked() bool { return c.remote.Topology() == remote.FullMesh }

func (c cluster) Neighbors() []actor.NodeID { return c.remote.Neighbors() }

func (c cluster) Broadcast(topic string, payload []byte) error {
	return c.remote.Broadcast(topic, payload)
}

func (c cluster) HandleBroadcast(topic string, f func(from actor.NodeID, payload []byte)) {
	c.remote.HandleBroadcast(topic, f)
}
