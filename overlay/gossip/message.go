package gossip

import "github.com/topos-go/topos/overlay"

// Messages between two nodes that are linked. A relation is of one link: it
// ends, for both, with the link, so that messages need no numbers.
type (
	// Ask asks to be taken for a neighbor. Urgent says that the sender has
	// none, and must not be refused.
	Ask struct{ Urgent bool }

	// Agree says that the sender takes the receiver for its neighbor. Nodes are
	// some of its others.
	Agree struct{ Nodes []overlay.Node }

	// Refuse says that the sender has as many neighbors as it may have. Nodes
	// are some of them.
	Refuse struct{ Nodes []overlay.Node }

	// Part says that the receiver is no neighbor of the sender's any more, or
	// never was.
	Part struct{}

	// Sample is a sign of life between neighbors. Nodes are some of the
	// sender's others.
	Sample struct{ Nodes []overlay.Node }

	// Leave says that the sender leaves the cluster, for good.
	Leave struct{}
)
