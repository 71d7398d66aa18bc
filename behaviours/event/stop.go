package event

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// Stop tells the manager at to to end with reason, nil for actor.ErrNormal, and
// returns when it has ended and its names are free. The order waits its turn
// among its messages; then Terminate runs. It is gen_event's stop/3.
//
// It fails with a *actor.CallError: ErrNoProc if there is no such process,
// ErrTimeout if ctx's deadline passes first, the exit reason if it ended
// with another one. Without a deadline it waits however long it takes.
//
// On another node the order must be known as a message; see [Messages]. Of a
// reason only whether it is ErrNormal or ErrShutdown and its text arrive there.
func Stop(ctx context.Context, from actor.Caller, to actor.Address, reason error) error {
	if reason == nil {
		reason = actor.ErrNormal
	}
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, noDeadline)
		defer cancel()
		ctx = limited
	}
	_, err := actor.Call[any](ctx, from, to, orderToStop(reason))
	var failed *actor.CallError
	if errors.As(err, &failed) && stopped(failed.Err, reason) {
		return nil
	}
	if err == nil { // what is there answers everything
		return &actor.CallError{To: to, Err: fmt.Errorf("%w: it answered the order", ErrNotStopped)}
	}
	return err
}

// ErrNotStopped is returned by [Stop] for a process that is none of this
// package: it took the order for a request.
var ErrNotStopped = errors.New("event: process does not know how to stop")

// noDeadline is the deadline of an order whose context has none.
const noDeadline = 100 * 365 * 24 * time.Hour

// stopRequest orders a process to end. The exported fields travel.
type stopRequest struct {
	Normal, Shutdown bool
	Text             string

	local error // the reason itself, if it has not travelled
}

func orderToStop(reason error) stopRequest {
	return stopRequest{
		Normal:   errors.Is(reason, actor.ErrNormal),
		Shutdown: errors.Is(reason, actor.ErrShutdown),
		Text:     reason.Error(),
		local:    reason,
	}
}

func (r stopRequest) reason() error {
	var known error
	switch {
	case r.local != nil:
		return r.local
	case r.Normal:
		known = actor.ErrNormal
	case r.Shutdown:
		known = actor.ErrShutdown
	default:
		return errors.New(r.Text)
	}
	if r.Text == known.Error() {
		return known
	}
	return &farReason{text: r.Text, known: known}
}

// farReason is a reason from another node that wraps one of the kernel's.
type farReason struct {
	text  string
	known error
}

func (e *farReason) Error() string { return e.text }

// Unwrap returns the kernel's reason.
func (e *farReason) Unwrap() error { return e.known }

// stopped reports whether err is how a call fails whose callee ended with
// reason, here or on another node.
func stopped(err, reason error) bool {
	return errors.Is(err, reason) || err.Error() == reason.Error()
}
