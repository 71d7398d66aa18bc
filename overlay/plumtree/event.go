package plumtree

import "github.com/topos-go/topos/overlay"

// Event is something a driver tells a [Core]: [NeighborUp], [NeighborDown],
// [NeighborLost], [Received] or [Broadcast].
type Event interface{ event() }

// NeighborUp: there is a link to Node, and it is one of those that broadcasts
// may go to. An [overlay.NeighborUp] converts to it.
type NeighborUp struct{ Node overlay.Node }

// NeighborDown: Node is a neighbor no more. An [overlay.NeighborDown] converts
// to it.
type NeighborDown struct{ Node overlay.Node }

// NeighborLost: Node is a neighbor no more, of nobody, for all that is known: it has
// crashed.
type NeighborLost struct{ Node overlay.Node }

// Received: Message has come from From. Links are proven to be From's.
type Received struct {
	From    overlay.Node
	Message Message
}

// Broadcast: deliver Payload to every node, this one included. Nobody may change
// it from then on.
type Broadcast struct{ Payload []byte }

func (NeighborUp) event()   {}
func (NeighborDown) event() {}
func (NeighborLost) event() {}
func (Received) event()     {}
func (Broadcast) event()    {}
