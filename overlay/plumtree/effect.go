package plumtree

import "github.com/topos-go/topos/overlay"

// Effects are what a [Core] wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing a [Core] wants done: [Send], [Deliver], [Missed] or
// [Rejected].
type Effect interface{ effect() }

// Send: send Message to To, a neighbor. It may be lost.
type Send struct {
	To      overlay.Node
	Message Message
}

// Deliver: give Payload to the application. It comes at most once for each ID,
// in no order, and also for what this node has broadcast itself. Nobody may
// change Payload.
type Deliver struct {
	ID      ID
	Payload []byte
	// Hops is over how many links the payload has come, 0 for this node's own.
	Hops int
}

// Missed: the messages First to Last of Origin have not been delivered, and
// never will be, because of Reason: [ErrGone], [ErrLost], [ErrOverflow],
// [ErrBefore] or [ErrOriginsFull]. Each number is reported once, unless its origin
// is forgotten in between.
type Missed struct {
	Origin      overlay.Node
	First, Last uint64
	Reason      error
}

// Rejected: Payload is not broadcast, because of Reason: [ErrTooLarge] or
// [ErrOriginsFull].
type Rejected struct {
	Payload []byte
	Reason  error
}

func (Send) effect()     {}
func (Deliver) effect()  {}
func (Missed) effect()   {}
func (Rejected) effect() {}
