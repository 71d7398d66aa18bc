// Package order is the order to stop, as the behaviours take it that have a
// Stop: gen's stop/3. It is a call that is never answered but by the end of the
// process, with its reason.
//
//	caller                              process
//	Send(ctx, from, to, reason, …)  ──▶ Receive: case order.Stop: return m.Obey(self)
//	nil                             ◀── its end, after Terminate
package order

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Stop is the message. The exported fields travel.
type Stop struct {
	Normal, Shutdown bool
	Text             string

	local error // the reason itself, if it has not travelled
}

// Send orders the process at to to end with reason, nil for actor.ErrNormal, and
// returns when it has ended: nil if that was the reason. Without a deadline of
// ctx it waits however long it takes. A process that answers instead does not
// know the order: then the error wraps disobeyed.
func Send(ctx context.Context, from actor.Caller, to actor.Address, reason, disobeyed error) error {
	if reason == nil {
		reason = actor.ErrNormal
	}
	_, err := actor.Call[any](actor.Patient(ctx), from, to, Stop{
		Normal:   errors.Is(reason, actor.ErrNormal),
		Shutdown: errors.Is(reason, actor.ErrShutdown),
		Text:     reason.Error(),
		local:    reason,
	})
	var failed *actor.CallError
	if errors.As(err, &failed) && obeyed(failed.Err, reason) {
		return nil
	}
	if err == nil { // what is there answers everything
		return &actor.CallError{To: to, Err: fmt.Errorf("%w: it answered the order", disobeyed)}
	}
	return err
}

// obeyed reports whether err is how a call fails whose callee ended with reason,
// here or on another node.
func obeyed(err, reason error) bool {
	return errors.Is(err, reason) || err.Error() == reason.Error()
}

// Obey keeps the call in hand, which fails with the reason when all is over, and
// returns that reason for Receive to end with.
func (s Stop) Obey(self *actor.Self) error {
	self.From()
	return s.reason()
}

func (s Stop) reason() error {
	var known error
	switch {
	case s.local != nil:
		return s.local
	case s.Normal:
		known = actor.ErrNormal
	case s.Shutdown:
		known = actor.ErrShutdown
	default:
		return errors.New(s.Text)
	}
	if s.Text == known.Error() {
		return known
	}
	return &farReason{text: s.Text, known: known}
}

// farReason is a reason from another node that wraps one of the kernel's.
type farReason struct {
	text  string
	known error
}

func (e *farReason) Error() string { return e.text }

// Unwrap returns the kernel's reason.
func (e *farReason) Unwrap() error { return e.known }
