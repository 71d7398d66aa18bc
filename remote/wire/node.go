package wire

import (
	"errors"

	"github.com/topos-go/topos/actor"
)

// maxName bounds names of nodes: a DNS name, a port, and as much again.
const maxName = 512

// FromNodeID returns the message for id.
func FromNodeID(id actor.NodeID) *Node {
	return &Node{Name: id.Name, Boot: id.Incarnation.Boot, Unique: id.Incarnation.Unique}
}

var errNode = errors.New("wire: not a node")

// NodeID is the inverse of [FromNodeID]. It refuses what cannot be a node.
func (m *Node) NodeID() (actor.NodeID, error) {
	if m == nil || len(m.Name) > maxName || len(m.Unique) > maxName {
		return actor.NodeID{}, errNode
	}
	id := actor.NodeID{Name: m.Name, Incarnation: actor.Incarnation{Boot: m.Boot, Unique: m.Unique}}
	back, err := actor.ParseNodeID(id.String())
	if err != nil || back != id || id.IsZero() {
		return actor.NodeID{}, errNode
	}
	return id, nil
}
