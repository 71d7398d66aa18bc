package overlay

// Effects are what a protocol wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing a protocol wants done: [Dial], [Probe], [Measure], [Send],
// [Post], [Disconnect], or what it lets others know: [Up], [Down], [NeighborUp],
// [NeighborDown], [Deliver] or [Report].
type Effect interface{ effect() }

// Dial: connect to Node. Answered by a [LinkUp] or a [DialFailed].
type Dial struct{ Node Node }

// Probe: find out who listens at Addr. Answered by a [Found] or [ProbeFailed].
type Probe struct{ Addr string }

// Measure: find out how long a message to Node and back takes, over a link that
// is made for it if there is none. Answered by an [RTT], or not at all.
type Measure struct{ Node Node }

// Send: send Message to To, to which there is a link. It may be lost.
type Send struct {
	To      Node
	Message Message
}

// Post: send Message to To, whether there is a link or a connection must be made
// for it, which is then closed again before long. It may be lost. If the machine of
// To refuses the connection, that is a [DialFailed].
type Post struct {
	To      Node
	Message Message
}

// Disconnect: close the link to Node, after what was sent to it.
type Disconnect struct{ Node Node }

// Up: Node is a member from now on.
type Up struct{ Node Node }

// Down: Node cannot be reached any more, because of Reason. Member says whether
// it was a member; if not, it had only been heard of.
type Down struct {
	Node   Node
	Member bool
	Reason error
}

// NeighborUp: Node is one of those that broadcasts go to directly, in HyParView
// the active view, and there is a link to it.
type NeighborUp struct{ Node Node }

// NeighborDown: Node is a neighbor no more. It may well be a member.
type NeighborDown struct{ Node Node }

// Deliver: Origin has broadcast Payload, which nobody may change.
type Deliver struct {
	Origin  Node
	Payload []byte
	// Causal is what it was in the [Broadcast].
	Causal bool
}

// Report: Value is something that those who watch the cluster may want to know. It
// is of a type of the protocol's own.
type Report struct{ Value any }

func (Dial) effect()         {}
func (Probe) effect()        {}
func (Measure) effect()      {}
func (Send) effect()         {}
func (Post) effect()         {}
func (Deliver) effect()      {}
func (Report) effect()       {}
func (Disconnect) effect()   {}
func (Up) effect()           {}
func (Down) effect()         {}
func (NeighborUp) effect()   {}
func (NeighborDown) effect() {}
