package swim

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
)

// Effects are what a [Core] wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing that a [Core] wants done, [Send] or [Spread], or lets
// others know: [Suspected], [Trusted], [Failed], [Returned], [Refuted] or [Full].
type Effect interface{ effect() }

// Send: send Message to To, over a link, a connection for this message only, or
// however it gets there. It may be lost. If To refuses a connection, or resets
// it, a [LinkReset] is due.
type Send struct {
	To      overlay.Node
	Message Message
}

// Spread: this node is the source of Fact. All learn of it by the protocol's own
// messages, and sooner if it is broadcast besides; at other nodes it is [Heard].
type Spread struct{ Fact Fact }

// Suspected: Node has not answered, as By says, which may be this node. It has
// failed unless it refutes that. With Config.Discreet others may not know yet.
type Suspected struct {
	Node        overlay.Node
	Incarnation uint64
	By          overlay.Node
}

// Trusted: Node, which was suspected, has refuted it, or has answered this node, which
// had told nobody.
type Trusted struct {
	Node        overlay.Node
	Incarnation uint64
}

// Failed: Node counts as failed, as By says first as far as is known here, which
// may be this node. Reason is [ErrNotRefuted] or [ErrRefused]. Source is set if this node
// has found it out and is to let others know; if not, it has heard an accusation or
// the end. Node goes on being watched.
type Failed struct {
	Node        overlay.Node
	Incarnation uint64
	By          overlay.Node
	Reason      error
	Source      bool
}

// Returned: Node, which counted as failed, has refuted it: it is the same process
// as before. One that was started again is another [overlay.Node], of which this
// one is never said.
type Returned struct {
	Node        overlay.Node
	Incarnation uint64
}

// Refuted: this node was said by By to be suspect or failed, and has raised its
// incarnation number to say that it is not.
type Refuted struct {
	Incarnation uint64
	By          overlay.Node
}

// Full: there are Config.MaxMembers already, so that Node is not watched.
type Full struct{ Node overlay.Node }

func (Send) effect()      {}
func (Spread) effect()    {}
func (Suspected) effect() {}
func (Trusted) effect()   {}
func (Failed) effect()    {}
func (Returned) effect()  {}
func (Refuted) effect()   {}
func (Full) effect()      {}

// Reasons of [Failed].
var (
	// ErrNotRefuted: the node was suspected, and did not refute it in time. It is
	// an [overlay.ErrSilent].
	ErrNotRefuted = fmt.Errorf("swim: suspicion not refuted: %w", overlay.ErrSilent)
	// ErrRefused: a link to the node was reset, and others who tried were
	// refused, too. It is an [overlay.ErrUnreachable].
	ErrRefused = fmt.Errorf("swim: connections refused: %w", overlay.ErrUnreachable)
)
