package causal

import "github.com/topos-go/topos/actor"

// Effect is one thing that a [Group] wants done: [Deliver], [Dead], [Released],
// [Notify] or [Heard].
type Effect interface{ effect() }

// Deliver: put Item into the local mailbox it is for, now.
type Deliver[T any] struct {
	From actor.NodeID
	Seq  Seq
	Item T
}

// Dead: Item will not be delivered, because of Reason: [ErrLate],
// [ErrDuplicate], [ErrBuried], [ErrGroupFull], [ErrMalformed], [ErrCycle],
// [ErrSelf] or [ErrNode].
type Dead[T any] struct {
	From   actor.NodeID
	Seq    Seq
	Item   T
	Reason error
}

// Released: Waiting messages do not wait any more for what From should have
// sent. What is Missing is delivered no more, and dead-lettered with [ErrLate]
// if it comes after all and something that was sent after it was delivered.
// Missing are numbers that were waited for, whether or not they were used.
type Released struct {
	From    actor.NodeID
	Missing []Span
	Waiting int
	// Cause is [ErrGivenUp], [ErrBuried], [ErrRenewed], [ErrTimeout] or
	// [ErrOverload], or why the missing message is [Dead].
	Cause error
}

// Notify: send Stamp to To without a message, so that To does not wait for one
// that was given up, and does not use numbers that are not taken any more.
// Losing it is harmless if another message follows: a later stamp says the same.
type Notify struct {
	To    actor.NodeID
	Stamp Stamp
}

// Heard: Node has a place in the group now because a stamp tells of it. If it is
// known to be dead, call [Group.Obituary] next: otherwise its place is never
// another's, and what waits for it is released by time alone.
type Heard struct{ Node actor.NodeID }

func (Deliver[T]) effect() {}
func (Dead[T]) effect()    {}
func (Released) effect()   {}
func (Notify) effect()     {}
func (Heard) effect()      {}
