package registry

import "github.com/topos-go/topos/actor"

// Cluster is what the registry needs of the remote layer.
//
// One whose nodes are not all linked to each other should have four more methods, as
// a topos.Node's has: Linked() bool reports whether they are, at present, and
// Neighbors() []actor.NodeID who is linked to this one; Broadcast(topic, payload)
// error and HandleBroadcast(topic, f) are remote's, without any order. Then changes
// are broadcast, and what is missing is asked of neighbors, while Linked is false.
// Otherwise every node sends its changes to each member.
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
