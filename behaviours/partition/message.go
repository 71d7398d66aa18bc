package partition

import (
	"cmp"

	"github.com/topos-go/topos/actor"
)

// Origin is one start of a guard, which numbers the operations that it takes
// in from 1.
type Origin struct {
	// Node, Boot and Unique are the node and its incarnation.
	Node   string
	Boot   uint64
	Unique string
	// Process is the guard's process, and Started when it was started.
	Process uint64
	Started int64
}

// compare orders origins: those of one node by the order of their starts.
func (o Origin) compare(p Origin) int {
	return cmp.Or(cmp.Compare(o.Node, p.Node), cmp.Compare(o.Boot, p.Boot), cmp.Compare(o.Unique, p.Unique),
		cmp.Compare(o.Started, p.Started), cmp.Compare(o.Process, p.Process))
}

// of reports whether o was started on that incarnation of a node.
func (o Origin) of(node actor.NodeID) bool {
	return o.Node == node.Name && o.Boot == node.Incarnation.Boot && o.Unique == node.Incarnation.Unique
}

// Seen says that all operations of an origin up to a number have been applied.
type Seen struct {
	Origin Origin
	UpTo   uint64
}

// Digest says which operations a guard has applied.
type Digest struct {
	From Origin
	Have []Seen
	// Part says that Have is not all.
	Part bool
	// Answer says that no digest is wanted for this one.
	Answer bool
}

// Entries are the operations of an origin from the number First on.
type Entries struct {
	From  Origin
	Of    Origin
	First uint64
	Ops   [][]byte
}

// State is a whole state, with the operations that are in it.
type State struct {
	From Origin
	Have []Seen
	Data []byte
}

// WireTypes returns a value of every type that guards send to other nodes, to be
// registered with the cluster's codec.
func WireTypes() []any { return []any{Digest{}, Entries{}, State{}} }
