package event

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// Stop tells the manager at to to end with reason, nil for actor.ErrNormal, and
// returns when it has ended and its names are free. The order waits its turn
// among the manager's messages; then Terminate runs. It is gen_event's stop/3.
//
// It fails with a *actor.CallError: ErrNoProc if there is no such process,
// ErrTimeout if ctx's deadline passes first, the exit reason if it ended with
// another one. Without a deadline it waits however long it takes.
//
// On another node the order must be known as a message; see [Messages]. Of a
// reason only whether it is ErrNormal or ErrShutdown and its text arrive there.
func Stop(ctx context.Context, from actor.Caller, to actor.Address, reason error) error {
	return order.Send(ctx, from, to, reason, ErrNotStopped)
}

// ErrNotStopped is returned by [Stop] for a process that is no manager of this
// package: it took the order for a request.
var ErrNotStopped = errors.New("event: process does not know how to stop")
