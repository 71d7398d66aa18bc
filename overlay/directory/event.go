package directory

import "github.com/topos-go/topos/overlay"

// Event is something that a [Core] is told: [Met], [Heard], [Received],
// [Obituary], [TryFailed] or [Leave].
type Event interface{ event() }

// Met: Node has proven itself to this node just now, by a link or otherwise. The
// first one that is met brings this node into the cluster.
type Met struct{ Node overlay.Node }

// Heard: what some node wanted to be broadcast has arrived. It may come late,
// twice, in any order, or never.
type Heard struct{ Broadcast Broadcast }

// Received: Message has come from From, which has proven itself.
type Received struct {
	From    overlay.Node
	Message Message
}

// Obituary: the failure detector has found that Node has failed. Crashed is set
// if Node's machine has answered that nobody listens, as against not at all.
type Obituary struct {
	Node    overlay.Node
	Crashed bool
}

// TryFailed: a [Try] has not brought a link. Refused is set if the machine has
// answered that nobody listens. A Try that succeeds is a [Met], of whoever is
// there.
type TryFailed struct {
	Node    overlay.Node
	Refused bool
}

// Leave: this node leaves the cluster. It does nothing any more after that.
type Leave struct{}

func (Met) event()       {}
func (Heard) event()     {}
func (Received) event()  {}
func (Obituary) event()  {}
func (TryFailed) event() {}
func (Leave) event()     {}
