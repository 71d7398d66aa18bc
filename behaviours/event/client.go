package event

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// The requests to a manager. Those with exported fields travel to other nodes.
type (
	addRequest struct {
		id      ID
		handler Handler
		owner   actor.PID
	}
	replaceRequest struct {
		old        ID
		swap       Swap
		owner      actor.PID
		supervised bool
	}
	deleteRequest struct {
		ID  ID
		Arg any
	}
	callRequest struct {
		ID  ID
		Req any
	}
	whichRequest struct{}
)

// Messages returns a value of each message that this package sends to managers
// on other nodes, to be registered with the types of a node: without it [Call],
// [Delete], [Which] and [Stop] fail there. Events are the user's own messages.
func Messages() []any {
	return []any{deleteRequest{}, callRequest{}, whichRequest{}, order.Stop{}}
}

// Add adds a handler to the manager at to, behind the others. It returns when
// the handler's Init has, with its error. It fails with [ErrExists] if there is
// one with this ID, and with the errors of [actor.Call].
//
// The handler is given away: it lives in the manager's process. The manager must
// be on this node.
func Add(ctx context.Context, from actor.Caller, to actor.Address, id ID, h Handler) error {
	_, err := actor.Call[any](ctx, from, to, addRequest{id: id, handler: h})
	return unwrap(err)
}

// AddSupervised is [Add] of a handler that is owned by the calling process: it
// is told by a [HandlerExit] when the handler has been removed, and the handler
// is removed when it ends. The process is linked with the manager. OTP calls it
// add_sup_handler.
func AddSupervised(ctx context.Context, self *actor.Self, to actor.Address, id ID, h Handler) error {
	_, err := actor.Call[any](ctx, self, to, addRequest{id: id, handler: h, owner: self.PID()})
	return unwrap(err)
}

// Delete removes a handler and returns what its Terminate has, to which arg is
// given. It fails with [ErrNoHandler] and the errors of [actor.Call]. To and
// from another node arg and the result must be of basic types.
func Delete(ctx context.Context, from actor.Caller, to actor.Address, id ID, arg any) (any, error) {
	value, err := actor.Call[any](ctx, from, to, deleteRequest{ID: id, Arg: arg})
	return value, unwrap(err)
}

// Replace puts a handler into the place of the one called old, which hands its
// state over: see [Successor]. If the old one was supervised, so is the new one,
// by the same owner. If there is no old one, the Successor is told so, and may
// refuse. It fails with the new handler's error, with [ErrExists], and with the
// errors of [actor.Call]. OTP calls it swap_handler.
func Replace(ctx context.Context, from actor.Caller, to actor.Address, old ID, s Swap) error {
	_, err := actor.Call[any](ctx, from, to, replaceRequest{old: old, swap: s})
	return unwrap(err)
}

// ReplaceSupervised is [Replace] with a handler that is owned by the calling
// process; see [AddSupervised]. Another owner of the old one is told.
func ReplaceSupervised(ctx context.Context, self *actor.Self, to actor.Address, old ID, s Swap) error {
	_, err := actor.Call[any](ctx, self, to, replaceRequest{old: old, swap: s, owner: self.PID(), supervised: true})
	return unwrap(err)
}

// Notify sends an event to the handlers of the manager at to, and waits for
// nothing. It is the same as sending the event as a message.
func Notify(from actor.Sender, to actor.Address, event any, opts ...actor.SendOption) error {
	return from.Send(to, event, opts...)
}

// SyncNotify sends an event and returns when all handlers have handled it, or
// failed to. It is the same as calling the manager with the event, which replies
// true. The errors are those of [actor.Call].
func SyncNotify(ctx context.Context, from actor.Caller, to actor.Address, event any, opts ...actor.SendOption) error {
	_, err := actor.Call[bool](ctx, from, to, event, opts...)
	return err
}

// Call calls one handler, which must be a [CallHandler], and waits for its
// reply, which must be an R. It fails with [ErrNoHandler], [ErrNoCalls], the
// error with which the handler failed, and the errors of [actor.Call]. To
// another node req must be of a basic type.
func Call[R any](ctx context.Context, from actor.Caller, to actor.Address, id ID, req any, opts ...actor.SendOption) (R, error) {
	return actor.Call[R](ctx, from, to, callRequest{ID: id, Req: req}, opts...)
}

// Which returns the IDs of the handlers, in the order in which events reach
// them, which is that in which they were added.
func Which(ctx context.Context, from actor.Caller, to actor.Address) ([]ID, error) {
	return actor.Call[[]ID](ctx, from, to, whichRequest{})
}

// unwrap returns the manager's own errors as they are.
func unwrap(err error) error {
	for _, own := range []error{ErrNoHandler, ErrExists, ErrNilHandler} {
		if errors.Is(err, own) {
			return own
		}
	}
	return err
}
