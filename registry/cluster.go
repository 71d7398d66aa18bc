package registry

import "github.com/topos-go/topos/actor"

// Cluster is what the registry needs of the remote layer.
//
// One whose nodes are not all linked to each other should be an [Overlay], too.
// Otherwise every node sends each of its changes to every member.
type Cluster interface {
	// Self is this node.
	Self() actor.NodeID
	// Members are the nodes not known to be dead, this one included.
	Members() []actor.NodeID
	// SendControl sends payload to the handler of topic on another node. For
	// one pair of nodes payloads arrive in the order sent; some may be lost
	// when the connection is.
	SendControl(to actor.NodeID, topic string, payload []byte) error
	// HandleControl lets f handle what comes in for topic. f must not block.
	HandleControl(topic string, f func(from actor.NodeID, payload []byte))
	// Watch calls f for every member that comes up and goes down, in order,
	// for those that are up already first.
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

// Overlay is what a [Cluster] may be besides, as that of a topos.Node is: then changes
// are broadcast while not all are linked, and what is missing is asked of neighbors.
type Overlay interface {
	// Linked reports whether all members are linked to each other, or are meant to
	// be. It may change at any time, and differ between nodes for a while.
	Linked() bool
	// Neighbors are the members that this node is linked to. The links, taken
	// together, have to lead from every member to every other.
	Neighbors() []actor.NodeID
	// Broadcast lets payload be handled on every member, which may or may not be
	// this one among them: in any order, and not by those who lose touch. It must
	// not wait for other nodes. It fails for a payload of more than 64 KiB at most.
	Broadcast(topic string, payload []byte) error
	// HandleBroadcast lets f handle what is broadcast to topic. f must not block.
	HandleBroadcast(topic string, f func(from actor.NodeID, payload []byte))
}
