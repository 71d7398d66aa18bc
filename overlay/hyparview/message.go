package hyparview

import "github.com/topos-go/topos/overlay"

// The messages of HyParView. A relation of two neighbors is named by two
// numbers, one chosen by each side, as a TCP connection is: Number is the
// sender's own, Of the one that the receiver has chosen. So an answer, a
// farewell or a sign of life that belongs to an earlier relation is known as
// such, even if it arrives over a later link. 0 is no number.
type (
	// Join asks to be taken into the cluster. It is not refused.
	Join struct{ Number uint32 }

	// ForwardJoin takes Node, which has joined, on its random walk.
	ForwardJoin struct {
		Node overlay.Node
		TTL  int
	}

	// Neighbor asks to be taken into the active view. With High priority it is
	// not refused, whatever neighbor has to go for it.
	Neighbor struct {
		Number uint32
		High   bool
	}

	// NeighborReply answers Join and Neighbor. Number is 0 unless Accepted.
	NeighborReply struct {
		Of, Number uint32
		Accepted   bool
	}

	// Disconnect says that the sender is no neighbor, and does not want to be
	// one. Wait says that the receiver will soon have another instead.
	Disconnect struct {
		Of, Number uint32
		Wait       bool
	}

	// Alive says that the sender takes the receiver for its neighbor. Whoever
	// knows better answers with Disconnect.
	Alive struct{ Of, Number uint32 }

	// Leave says that the sender leaves the cluster, for good.
	Leave struct{}

	// Shuffle offers Nodes, among them Origin, to whoever the random walk
	// ends with.
	Shuffle struct {
		Origin overlay.Node
		Number uint32
		TTL    int
		Nodes  []overlay.Node
	}

	// ShuffleReply answers the origin's shuffle with that Number.
	ShuffleReply struct {
		Number uint32
		Nodes  []overlay.Node
	}
)

// The messages of X-BOT, between i, which wants the candidate c for its
// neighbor in place of o, and d, which c gives up for i.
type (
	// Optimization, from i to c, asks to be taken in place of one of c's
	// neighbors.
	Optimization struct {
		Number uint32
		Old    overlay.Node
	}

	// OptimizationReply, from c to i, answers it. Replaced says that c has
	// given up d, which o has taken: o has no slot free.
	OptimizationReply struct {
		Of, Number         uint32
		Accepted, Replaced bool
	}

	// Replace, from c to d, asks d to take Old, which is o, in place of c.
	Replace struct {
		Of             uint32
		Exchange       uint32
		Initiator, Old overlay.Node
	}

	// ReplaceReply, from d to c, answers it. If Accepted, d is c's neighbor no
	// more.
	ReplaceReply struct {
		Of       uint32
		Exchange uint32
		Accepted bool
	}

	// Switch, from d to o, asks to be taken in place of Initiator, which is i.
	Switch struct {
		Number    uint32
		Initiator overlay.Node
	}

	// SwitchReply, from o to d, answers it.
	SwitchReply struct {
		Of, Number uint32
		Accepted   bool
	}
)
