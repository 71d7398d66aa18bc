package plumtree

import "errors"

// ErrTooLarge is the reason of a [Rejected] broadcast: its payload has more than
// Config.MaxPayload bytes.
var ErrTooLarge = errors.New("plumtree: payload too large")

// Reasons of [Missed].
var (
	// ErrGone: those who had the messages retain them no more.
	ErrGone = errors.New("plumtree: messages retained no more")
	// ErrLost: nobody has said anything of the messages for longer than anybody
	// could retain them.
	ErrLost = errors.New("plumtree: messages lost")
	// ErrOverflow: there were more holes than Config.MaxHoles.
	ErrOverflow = errors.New("plumtree: too many holes")
	// ErrBefore: the messages were broadcast before this node had anything of
	// their origin, or before it had forgotten it, and are retained no more.
	ErrBefore = errors.New("plumtree: messages from before")
	// ErrOriginsFull: Config.MaxOrigins are remembered, and none can be forgotten
	// yet. Then Missed may be reported more than once, and its message may still
	// be delivered later.
	ErrOriginsFull = errors.New("plumtree: too many origins")
)
