package overlay

import "time"

// Event is something a driver tells a protocol: [LinkUp], [LinkDown],
// [DialFailed], [Found], [ProbeFailed], [RTT], [Met], [Lost], [Received], [Join],
// [Broadcast] or [LeaveRequested].
type Event interface{ event() }

// LinkUp: Node and this node have proven themselves to each other and are
// connected, whichever side dialled. A second LinkUp replaces the first link.
type LinkUp struct {
	Node Node
	// Accepted is set if Node has dialled: then nothing is known yet of
	// whether it can be dialled.
	Accepted bool
}

// LinkDown: the link to Node is gone. It says nothing of Node itself.
type LinkDown struct {
	Node Node
	Err  error
}

// DialFailed: a [Dial] brought no link.
type DialFailed struct {
	Node Node
	// Refused is set if the other side's machine answered that nobody listens
	// there, as against not answering at all.
	Refused bool
	// Alive is set if the node answered, but would rather keep, or make, a
	// link of its own: a [LinkUp] is to be expected.
	Alive bool
	Err   error
}

// Found: the node that answers at Addr says that it is Node. Nothing is proven.
type Found struct {
	Addr string
	Node Node
}

// ProbeFailed: a [Probe] brought no answer.
type ProbeFailed struct {
	Addr string
	Err  error
}

// RTT: a message to Node and back has taken so long. It answers a [Measure], or
// comes unasked when a link is measured anyway.
type RTT struct {
	Node Node
	RTT  time.Duration
}

// Met: Node has become known otherwise, by one of its processes or because it
// has connected a lane that is not the overlay's.
type Met struct {
	Node Node
	// Proven is set if Node itself has proven who it is.
	Proven bool
}

// Lost: the driver has found out that what bound this node and Node is broken
// beyond repair, so that Node must count as down even if it comes back.
type Lost struct {
	Node Node
	Err  error
}

// Received: Message has come from From over the link.
type Received struct {
	From    Node
	Message Message
}

// Join adds addresses at which members of the cluster may be found.
type Join struct{ Addrs []string }

// Broadcast: have Payload delivered at every node, this one included. Nobody may
// change it from then on.
type Broadcast struct {
	Payload []byte
	// Causal says that no node delivers it before what had been delivered here, of
	// those broadcasts that are Causal, too.
	Causal bool
}

// LeaveRequested: this node is to leave the cluster.
type LeaveRequested struct{}

func (LinkUp) event()         {}
func (LinkDown) event()       {}
func (DialFailed) event()     {}
func (Found) event()          {}
func (ProbeFailed) event()    {}
func (RTT) event()            {}
func (Met) event()            {}
func (Lost) event()           {}
func (Received) event()       {}
func (Join) event()           {}
func (Broadcast) event()      {}
func (LeaveRequested) event() {}

// Member is what a protocol knows of one member.
type Member struct {
	Node Node
	// Linked says whether there is a link at this moment.
	Linked bool
	// Heard is when the member was last heard of.
	Heard time.Time
	// RTT is the last round-trip time; 0 if not measured yet.
	RTT time.Duration
}
