package partition

import "github.com/topos-go/topos/actor"

// Event is something that a [Guard] has found out: [Detected], [Healed],
// [Refused], [Diverged] or [Merged]. The set is closed.
type Event interface{ event() }

// Detected: the nodes in Lost may be behind a partition. It comes again when
// there are more of them.
type Detected struct{ Here, Lost []actor.NodeID }

// Healed: nobody is behind the partition any more. Each node of the other side
// is in one list: the same incarnation has returned, a newer one runs, it is
// known to have crashed or was given up, or it has left. Sorted.
type Healed struct{ Returned, Restarted, Crashed, Left []actor.NodeID }

// Refused: a write was refused because of Err.
type Refused struct{ Err *RefusedError }

// Merged: Operations of another node, or its whole state, have been applied.
type Merged struct {
	Operations int
	State      bool
}

// Diverged: this node and Node have both forgotten operations that the other
// one lacks, since each was given up by the other side for too long, so their
// states cannot be merged. Each keeps its own; a guard that is started anew
// takes over that of the others.
type Diverged struct{ Node string }

func (Detected) event() {}
func (Healed) event()   {}
func (Refused) event()  {}
func (Merged) event()   {}
func (Diverged) event() {}
