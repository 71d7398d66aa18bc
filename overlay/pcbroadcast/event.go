package pcbroadcast

import "github.com/topos-go/topos/overlay"

// Event is something that a [Core] is told: [LinkUp], [LinkDown], [Received] or
// [Broadcast].
type Event interface{ event() }

// LinkUp: there is a link to Node, on which what is sent arrives in order and
// whole until the link breaks. The other end is told so, too. If there was a
// link to Node before, it is over; what was on its way on it may still arrive,
// and is not taken for the new link's.
type LinkUp struct{ Node overlay.Node }

// LinkDown: the link to Node is over. What was on its way is lost.
type LinkDown struct{ Node overlay.Node }

// Received: Message has come from From, after the [LinkUp].
type Received struct {
	From    overlay.Node
	Message Message
}

// Broadcast: Payload is to be delivered by all nodes, this one included.
type Broadcast[T any] struct{ Payload T }

func (LinkUp) event()       {}
func (LinkDown) event()     {}
func (Received) event()     {}
func (Broadcast[T]) event() {}
