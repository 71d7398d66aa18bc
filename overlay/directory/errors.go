package directory

import "errors"

// Reasons of [Displaced], and errors of [Core.Propose] and [Core.SetMeta].
var (
	// ErrSuperseded: a newer incarnation of this node's name is known.
	ErrSuperseded = errors.New("directory: a newer incarnation has this node's name")
	// ErrLeft: this node has left, or others believe so, which is final.
	ErrLeft = errors.New("directory: this node has left")
	// ErrExhausted: somebody has used a number so high that none is left.
	ErrExhausted = errors.New("directory: numbers are exhausted")
	// ErrNotLowest is returned by Propose on all but the lowest member.
	ErrNotLowest = errors.New("directory: only the lowest member proposes")
	// ErrUnknownRegister is returned by Propose for what is not one of
	// Config.Registers.
	ErrUnknownRegister = errors.New("directory: unknown register")
	// ErrTooLarge is returned by Propose and SetMeta for more bytes than
	// Config.MaxValue and MaxMeta.
	ErrTooLarge = errors.New("directory: too large")
)
