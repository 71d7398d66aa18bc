package event

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// ID names a handler in its manager.
type ID string

// Handler is something that wants to know of the events of a manager. Its
// methods are called one at a time in the manager's process; what it keeps are
// its own fields. It may implement [Initializer], [Successor], [CallHandler],
// [InfoHandler] and [Terminator] as well.
type Handler interface {
	// HandleEvent handles an event. An error, or a panic, removes the handler
	// and nothing else. One that keeps a []byte, or sends it on, calls
	// self.Retain before.
	HandleEvent(self *actor.Self, event any) (Next, error)
}

// Next says what becomes of a handler after a callback. The zero Next keeps it.
type Next struct {
	// Remove removes the handler, in order.
	Remove bool
	// Swap, if not nil, puts another handler into its place.
	Swap *Swap
}

// Swap is a handler that takes the place of another.
type Swap struct {
	// ID is the new handler's; empty for that of the old one.
	ID ID
	// Handler is the new one. If it is a [Successor], it gets what the old one's
	// Terminate returns.
	Handler Handler
	// Arg is for the old one's Terminate.
	Arg any
}

// Initializer is a [Handler] that prepares itself when it is added. An error
// keeps it from being added.
type Initializer interface {
	Init(self *actor.Self) error
}

// Successor is a [Handler] that can take the place of another. Inherit is called
// instead of Init: state is what the other's Terminate returned, nil if it has
// none, and [ErrNoHandler] if there was no other. After an error neither is
// there.
type Successor interface {
	Inherit(self *actor.Self, state any) error
}

// CallHandler is a [Handler] that can be called; see [Call]. HandleCall answers
// with self.Reply or self.ReplyError, or keeps self.From() to answer later. A
// handler that fails before it has answered answers with its error.
type CallHandler interface {
	HandleCall(self *actor.Self, req any) (Next, error)
}

// InfoHandler is a [Handler] that wants the kernel's messages to the manager:
// actor.Down, actor.Exit, actor.NodeDown and actor.ReceiveTimeout.
type InfoHandler interface {
	HandleInfo(self *actor.Self, msg any) (Next, error)
}

// Terminator is a [Handler] that cleans up when it is removed, for whatever
// reason. What it returns is for who deleted it, or for its successor. A panic
// in it is logged, and it has returned nil then.
type Terminator interface {
	Terminate(self *actor.Self, end End) any
}

// End says why a handler is removed.
type End struct {
	// Reason is [ErrDeleted], [ErrSwapped], [ErrRemoved] if it asked for it
	// itself, an [*OwnerError], the manager's exit reason, or the error with
	// which it failed.
	Reason error
	// Arg is what was given to [Delete] or [Replace], or with [Swap].
	Arg any
}

// Reasons why a handler is removed.
var (
	// ErrDeleted is the end of a handler that [Delete] has removed.
	ErrDeleted = errors.New("event: handler deleted")
	// ErrSwapped is the end of a handler in whose place there is another.
	ErrSwapped = errors.New("event: handler swapped")
	// ErrRemoved is the end of a handler that asked to be removed.
	ErrRemoved = errors.New("event: handler removed itself")
)

// OwnerError is the end of a handler whose owner has ended, or has sent an exit
// signal to the manager.
type OwnerError struct {
	Owner  actor.PID
	Reason error
}

func (e *OwnerError) Error() string {
	return fmt.Sprintf("event: owner %v of the handler has ended: %v", e.Owner, e.Reason)
}

// Unwrap returns e.Reason.
func (e *OwnerError) Unwrap() error { return e.Reason }

// HandlerExit is the message that the owner of a supervised handler receives
// when the handler has been removed: OTP's gen_event_EXIT.
type HandlerExit struct {
	Manager actor.PID
	ID      ID
	// Reason is actor.ErrNormal if the handler was deleted or removed itself,
	// actor.ErrShutdown if the manager ends, [ErrSwapped] if one with another
	// owner has taken its place, and else the error with which it failed.
	Reason error
}

// Errors of the functions that speak to a manager.
var (
	// ErrNoHandler is returned for an ID that no handler has.
	ErrNoHandler = errors.New("event: no such handler")
	// ErrExists is returned when a handler is added under an ID that is taken.
	ErrExists = errors.New("event: handler exists already")
	// ErrNilHandler is returned when nil is added.
	ErrNilHandler = errors.New("event: nil handler")
	// ErrNoCalls is returned by [Call] for a handler that is no [CallHandler].
	ErrNoCalls = errors.New("event: handler takes no calls")
)

// On returns a handler that f makes of the events of type E. Others pass it by.
func On[E any](f func(self *actor.Self, event E) (Next, error)) Handler { return on[E](f) }

type on[E any] func(self *actor.Self, event E) (Next, error)

func (f on[E]) HandleEvent(self *actor.Self, event any) (Next, error) {
	if e, ok := event.(E); ok {
		return f(self, e)
	}
	return Next{}, nil
}
