package swim

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
)

// Message is what one [Core] sends to another. Nobody changes it, or its facts,
// once it is sent.
type Message struct {
	// Incarnation is the sender's own number: a word of its own for being alive.
	Incarnation uint64
	Body        Body
	// Facts are carried along: at most Config.MaxFacts.
	Facts []Fact
}

// Body is what a [Message] is for: [Ping], [Ack], [PingReq], [Nack] or [Gossip].
type Body interface{ body() }

// Ping asks for an [Ack] with the same number.
type Ping struct{ Seq uint64 }

// Ack answers a [Ping], or a [PingReq] whose target has answered.
type Ack struct{ Seq uint64 }

// PingReq asks the receiver to ping Target, and to answer with an [Ack] or a
// [Nack] with the same number.
type PingReq struct {
	Seq    uint64
	Target overlay.Node
	// Reset is set if a link to Target was reset: that it refuses connections is worth
	// knowing from a receiver that is busy, too, or that knows it already.
	Reset bool
}

// Nack answers a [PingReq]: the sender is well, and has had no answer from the
// target, or does not watch it. Refused is set if a connection was refused, now or within
// the last two periods, or the target is known to have crashed.
type Nack struct {
	Seq     uint64
	Refused bool
}

// Gossip is a message for its facts only.
type Gossip struct{}

func (Ping) body()    {}
func (Ack) body()     {}
func (PingReq) body() {}
func (Nack) body()    {}
func (Gossip) body()  {}

// State is what a node thinks of another, in the paper's words.
type State uint8

const (
	// Alive members are trusted.
	Alive State = iota + 1
	// Suspect members have not answered.
	Suspect
	// Confirm is of members that are confirmed to have failed.
	Confirm
)

// String returns "alive", "suspect", "confirm", or the number of another state.
func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Suspect:
		return "suspect"
	case Confirm:
		return "confirm"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Fact is what somebody says of a node. Alive overrides what has a smaller
// incarnation; Suspect overrides Alive, and Confirm both, with the same
// incarnation or a smaller one.
type Fact struct {
	State State
	Node  overlay.Node
	// Incarnation is the number of refutations by Node that the state is about.
	// Only Node raises it. It is not an incarnation of the node: one that is
	// started again is another Node and begins at 0.
	Incarnation uint64
	// By is who says so: Node itself if Alive.
	By overlay.Node
	// Refused is set if a Confirm rests on refused connections.
	Refused bool
}
