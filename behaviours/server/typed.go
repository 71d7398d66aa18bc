package server

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Handler is a [Server] whose requests are Q, whose replies are R and whose
// casts are M. Q and M are usually interfaces that the messages implement. It
// may implement the same optional interfaces.
type Handler[Q, R, M any] interface {
	// HandleCall answers req through caller, now or later.
	HandleCall(self *actor.Self, req Q, caller Caller[R]) (Next, error)
	// HandleCast handles a message that needs no answer.
	HandleCast(self *actor.Self, msg M) (Next, error)
}

// Caller is who waits for the reply to the call in hand. It is valid until
// HandleCall returns; [Caller.Later] is for later.
type Caller[R any] struct{ self *actor.Self }

// Reply answers the call. It always returns nil; see [actor.Self.Reply].
func (c Caller[R]) Reply(value R) error { return c.self.Reply(value) }

// Error answers the call with an error.
func (c Caller[R]) Error(err error) error { return c.self.ReplyError(err) }

// Later keeps the call, to be answered at any time and from anywhere.
func (c Caller[R]) Later() Deferred[R] { return Deferred[R]{c.self.From()} }

// Deferred is a call that was kept to be answered later. It may be used by any
// goroutine; the first answer counts. The zero Deferred is nobody's.
type Deferred[R any] struct{ from actor.From }

// Reply answers the call. It reports whether the caller was still waiting.
func (d Deferred[R]) Reply(value R) bool { return d.from.Reply(value) }

// Error answers the call with an error; see [Deferred.Reply].
func (d Deferred[R]) Error(err error) bool { return d.from.ReplyError(err) }

// Waiting reports whether the caller still waits.
func (d Deferred[R]) Waiting() bool { return d.from.Waiting() }

// Typed returns h as a Server. Calls that are no Q fail with
// actor.ErrRequestType, and casts that are no M are logged and dropped: neither
// reaches h.
func Typed[Q, R, M any](h Handler[Q, R, M]) Server {
	t := &typed[Q, R, M]{handler: h}
	_, t.informed = h.(InfoHandler)
	return t
}

// typed is the edge between a Handler and what the kernel brings. It has all
// optional callbacks, and asks h for them.
type typed[Q, R, M any] struct {
	handler  Handler[Q, R, M]
	informed bool
}

func (t *typed[Q, R, M]) HandleCall(self *actor.Self, req any) (Next, error) {
	q, ok := req.(Q)
	if !ok {
		return Next{}, self.ReplyError(fmt.Errorf("%w: %T", actor.ErrRequestType, req))
	}
	return t.handler.HandleCall(self, q, Caller[R]{self})
}

func (t *typed[Q, R, M]) HandleCast(self *actor.Self, msg any) (Next, error) {
	m, ok := msg.(M)
	if !ok {
		return t.drop(self, msg)
	}
	return t.handler.HandleCast(self, m)
}

func (t *typed[Q, R, M]) drop(self *actor.Self, msg any) (Next, error) {
	self.Logger().Warn("server dropped a message of another type", "message", fmt.Sprintf("%T", msg))
	return Next{}, nil
}

func (t *typed[Q, R, M]) Init(self *actor.Self) (Next, error) {
	if init, ok := t.handler.(Initializer); ok {
		return init.Init(self)
	}
	return Next{}, nil
}

func (t *typed[Q, R, M]) HandleInfo(self *actor.Self, msg any) (Next, error) {
	if !t.informed {
		return t.drop(self, msg)
	}
	return t.handler.(InfoHandler).HandleInfo(self, msg)
}

func (t *typed[Q, R, M]) HandleContinue(self *actor.Self, arg any) (Next, error) {
	if c, ok := t.handler.(Continuer); ok {
		return c.HandleContinue(self, arg)
	}
	return Next{}, ErrNoContinuer
}

func (t *typed[Q, R, M]) HandleTimeout(self *actor.Self) (Next, error) {
	if h, ok := t.handler.(TimeoutHandler); ok {
		return h.HandleTimeout(self)
	}
	return Next{}, ErrNoTimeoutHandler
}

func (t *typed[Q, R, M]) Terminate(self *actor.Self, reason error) {
	if h, ok := t.handler.(actor.Terminator); ok {
		h.Terminate(self, reason)
	}
}

// Client is the address of a [Handler], with the same types. It is made with
// [ClientOf] and may be copied and used by any goroutine.
type Client[Q, R, M any] struct{ to actor.Address }

// ClientOf returns a Client of the server at to. Nothing checks that the process
// there is of these types; calls that it does not understand fail.
func ClientOf[Q, R, M any](to actor.Address) Client[Q, R, M] { return Client[Q, R, M]{to} }

// Address returns the untyped address.
func (c Client[Q, R, M]) Address() actor.Address { return c.to }

// Call is actor.Call.
func (c Client[Q, R, M]) Call(ctx context.Context, from actor.Caller, req Q, opts ...actor.SendOption) (R, error) {
	return actor.Call[R](ctx, from, c.to, req, opts...)
}

// Request is actor.SendRequest.
func (c Client[Q, R, M]) Request(ctx context.Context, from actor.Caller, req Q, opts ...actor.SendOption) *actor.Request[R] {
	return actor.SendRequest[R](ctx, from, c.to, req, opts...)
}

// Cast sends msg and waits for nothing; see actor.Self.Send.
func (c Client[Q, R, M]) Cast(from actor.Sender, msg M, opts ...actor.SendOption) error {
	return from.Send(c.to, msg, opts...)
}
