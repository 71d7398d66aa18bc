package swim

import "github.com/topos-go/topos/overlay"

// Event is something that a [Core] is told: [Watch], [Unwatch], [Near], [Far],
// [LinkReset], [Received] or [Heard].
type Event interface{ event() }

// Watch: Node is a member from now on, and alive as far as is known. It changes
// nothing if Node is watched already, not even if that has failed.
type Watch struct{ Node overlay.Node }

// Unwatch: Node is no member any more. It has left, or the directory has buried
// it. All else that was known of it is forgotten.
type Unwatch struct {
	Node overlay.Node
	// Crashed is set if its machine has said that nobody is there, to this node or as
	// others say, which those are told who ask in the next ten periods.
	Crashed bool
}

// Near: there is a link to Node, so that asking it costs no connection. As long as
// some are near, it is their turn, but for one turn in Config.Stride.
type Near struct{ Node overlay.Node }

// Far: there is none any more.
type Far struct{ Node overlay.Node }

// LinkReset: a connection to Node was reset, or an attempt to make one refused:
// its machine answers, and says that nobody is there. An orderly end of a
// connection is none of this, and a connection attempt that has no answer neither.
type LinkReset struct {
	Node overlay.Node
	// Refused is set after an attempt. Only that speaks against Node: connections
	// are reset by what lies between, too.
	Refused bool
}

// Rejoined: this node has been cut off from all others, and is no more. What it has
// concluded from that is nothing against them: it gives those that it suspects their
// time again.
type Rejoined struct{}

// Received: Message has come from From, which has proven to be From.
type Received struct {
	From    overlay.Node
	Message Message
}

// Heard: Fact has come by another way, such as the directory's broadcast of a
// [Spread]. It is taken like one that has come with a message, but not sent
// around by itself.
type Heard struct{ Fact Fact }

func (Watch) event()     {}
func (Unwatch) event()   {}
func (Near) event()      {}
func (Far) event()       {}
func (LinkReset) event() {}
func (Rejoined) event()  {}
func (Received) event()  {}
func (Heard) event()     {}
