package pcbroadcast

import (
	"errors"

	"github.com/topos-go/topos/overlay"
)

// Effects are what a [Core] wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing that a [Core] wants done, [Send] or [Deliver], or lets
// others know: [Gap], [Safe], [Unsafe], [Adopted] or [Full].
type Effect interface{ effect() }

// Send: send Message to To over the link that there is.
type Send struct {
	To      overlay.Node
	Message Message
}

// Deliver: Payload is the message number Seq that Origin has broadcast.
type Deliver[T any] struct {
	Origin  overlay.Node
	Seq     uint64
	Payload T
}

// Gap: the messages First to Last of Origin have not been delivered by this node
// and never will be. A node that begins reports none for what was before it. Of
// an origin that was forgotten, they may have been delivered before that.
type Gap struct {
	Origin      overlay.Node
	First, Last uint64
}

// Safe: what this node delivers goes directly to Node from now on, so that the
// overlay may do without another link. Forced is set if no way was found by
// which Node could have all that went before: it gives up what it lacks.
type Safe struct {
	Node   overlay.Node
	Forced bool
}

// Unsafe: nothing goes directly to Node any more, or not yet, because of Reason:
// [ErrSlow], [ErrRefused], [ErrFull], [ErrRestart] or [ErrTooManyLinks]. If it
// is not the last, a [Safe] follows if the link stays.
type Unsafe struct {
	Node   overlay.Node
	Reason error
}

// Adopted: this node, to which no link led any more, or none yet, goes on where
// Node is.
type Adopted struct{ Node overlay.Node }

// Full: there are Config.MaxOrigins names already, so that Origin finds no place
// and this node takes nothing at all until one of them can be forgotten.
type Full struct{ Origin overlay.Node }

func (Send) effect()       {}
func (Deliver[T]) effect() {}
func (Gap) effect()        {}
func (Safe) effect()       {}
func (Unsafe) effect()     {}
func (Adopted) effect()    {}
func (Full) effect()       {}

// Reasons of [Unsafe].
var (
	// ErrSlow: pings came back, but so late that more than Config.MaxBuffer
	// messages had to wait, again and again. The link rests for Config.Rest.
	ErrSlow = errors.New("pcbroadcast: link too slow for its buffer")
	// ErrRefused: the other end needs no adoption any more.
	ErrRefused = errors.New("pcbroadcast: refused by the other end")
	// ErrFull: the other end has no place for what this node knows.
	ErrFull = errors.New("pcbroadcast: the other end is full")
	// ErrRestart: this node was adopted, and has to prove anew that others have
	// what it has now.
	ErrRestart = errors.New("pcbroadcast: this node was adopted")
	// ErrTooManyLinks: there are Config.MaxLinks links. This one is not used.
	ErrTooManyLinks = errors.New("pcbroadcast: too many links")
)
