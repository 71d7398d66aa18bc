package server

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// Stop tells the server at to to end with reason, nil for actor.ErrNormal, and
// returns when it has ended and its names are free. The order waits its turn
// among the server's messages; then Terminate runs. It is gen_server's stop/3.
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

// ErrNotStopped is returned by [Stop] for a process that is no server of this
// package: it took the order for a request.
var ErrNotStopped = errors.New("server: process does not know how to stop")

// Messages returns a value of each message that this package sends to servers
// on other nodes, to be registered with the types of a node:
//
//	topos.Config{Types: topos.Types(append(server.Messages(), Add{}, Get{})...)}
//
// Only [Stop] needs it; requests and casts are the user's own messages.
func Messages() []any { return []any{order.Stop{}} }
