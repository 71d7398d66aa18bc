package overlay

// Effects are what a protocol wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing a protocol wants done: [Dial], [Probe], [Send],
// [Disconnect], [Up] or [Down].
type Effect interface{ effect() }

// Dial: connect to Node. Answered by a [LinkUp] or a [DialFailed].
type Dial struct{ Node Node }

// Probe: find out who listens at Addr. Answered by a [Found] or [ProbeFailed].
type Probe struct{ Addr string }

// Send: send Message to To, to which there is a link. It may be lost.
type Send struct {
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

func (Dial) effect()       {}
func (Probe) effect()      {}
func (Send) effect()       {}
func (Disconnect) effect() {}
func (Up) effect()         {}
func (Down) effect()       {}
