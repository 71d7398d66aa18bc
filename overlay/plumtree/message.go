package plumtree

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// maxRound is the greatest number of hops that is believed.
const maxRound = 1 << 16

// Message is what a [Core] says to that of another node: [Gossip], [IHave],
// [Graft], [Prune], [Digest] or [Repair]. It is a value: neither side changes it,
// or what it refers to, once it is sent.
type Message interface{ message() }

// Gossip is a message with its payload: the paper's GOSSIP.
type Gossip struct {
	ID ID
	// Round is over how many links the payload has come when it is received.
	Round int
	// Age is how long ago it was broadcast, as far as its holders know: the
	// time on the links is not counted.
	Age     time.Duration
	Payload []byte
}

// Announcement says that its sender has a message, which comes in round Round
// if it is asked for.
type Announcement struct {
	ID    ID
	Round int
}

// IHave announces messages: the paper's IHAVE, several at a time.
type IHave struct{ Messages []Announcement }

// Graft asks for the message ID, and for those after it to be pushed eagerly:
// the paper's GRAFT. If ID.Seq is 0, only for those after it. If ID is zero, for what comes
// over the shared tree, which has broken, and to be told at once of what would be
// announced later.
type Graft struct {
	ID ID
	// Once asks for ID only, and not to be pushed what follows. If ID.Seq is 0, it asks
	// for neither: the sender has lost an eager neighbor and has no lazy ones that could
	// take its place, as the receiver may have.
	Once bool
}

// Prune asks not to be pushed the messages of Origin, or, if Origin has no tree
// of its own at the receiver, any messages: the paper's PRUNE.
type Prune struct{ Origin overlay.Node }

// Digest says what its sender has of the origins that come after After in the
// order of nodes, up to Until; the zero Until is the end. Of those that are not
// among Origins it has nothing, or, if the digest is Partial, it says nothing
// of them.
//
// It is answered by a [Repair], if the receiver has something that the sender
// lacks, and by a partial digest, if it is the other way round.
type Digest struct {
	After, Until overlay.Node
	Origins      []Have
	Partial      bool
}

// Repair brings what a digest has shown to be missing, or says of what a graft
// has asked for that it is gone.
type Repair struct {
	Messages []Gossip
	Gone     []Gone
	// More says that there is more than one Repair may bring. A partial digest
	// of the origins of Messages brings it.
	More bool
}

// Gone says that its sender has settled the messages First to Last of Origin and
// retains none that the receiver lacks. Age is how long ago the newest message
// of Origin was broadcast that the sender knows of.
type Gone struct {
	Origin      overlay.Node
	First, Last uint64
	Age         time.Duration
}

func (Gossip) message() {}
func (IHave) message()  {}
func (Graft) message()  {}
func (Prune) message()  {}
func (Digest) message() {}
func (Repair) message() {}

func (id ID) valid() bool { return !id.Origin.IsZero() && 0 < id.Seq && id.Seq <= maxSeq }

func (g *Gossip) valid(maxPayload int) bool {
	return g.ID.valid() && 0 < g.Round && g.Round <= maxRound && g.Age >= 0 && len(g.Payload) <= maxPayload
}

func (a *Announcement) valid() bool { return a.ID.valid() && 0 < a.Round && a.Round <= maxRound }

func (g *Gone) valid() bool {
	return !g.Origin.IsZero() && 0 < g.First && g.First <= g.Last && g.Last <= maxSeq && g.Age >= 0
}

// valid reports whether d keeps the limits and the order.
func (d *Digest) valid(maxOrigins, maxHoles int) bool {
	if len(d.Origins) > maxOrigins {
		return false
	}
	before := d.After
	for i := range d.Origins {
		h := &d.Origins[i]
		if !h.valid(maxHoles) || h.Origin.Compare(before) <= 0 || !d.Until.IsZero() && h.Origin.Compare(d.Until) > 0 {
			return false
		}
		before = h.Origin
	}
	return true
}
