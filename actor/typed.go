package actor

import (
	"context"
	"fmt"
)

// Ref is an [Address] that only takes messages of type M. M is usually an
// interface that the messages of one actor implement. It is a thin edge: the
// process behind it receives any like everyone else, and nothing checks that it
// understands M.
type Ref[M any] struct{ to Address }

// RefOf returns a Ref to the process at to.
func RefOf[M any](to Address) Ref[M] { return Ref[M]{to} }

// Address returns the untyped address.
func (r Ref[M]) Address() Address { return r.to }

// Send sends msg; see [Self.Send].
func (r Ref[M]) Send(from Sender, msg M) error { return from.Send(r.to, msg) }

// Returns, embedded in a request type, declares the type of its reply, which
// [Ask] then infers:
//
//	type Get struct{ actor.Returns[int] }
type Returns[R any] struct{}

func (Returns[R]) returns(R) {}

// Question is a request whose reply is an R: a struct that embeds Returns[R].
type Question[R any] interface{ returns(R) }

// Ask is [Call] with the reply's type taken from the request. It fails with
// ErrRequestType if req is not an M.
func Ask[M, R any](ctx context.Context, from Caller, to Ref[M], req Question[R], opts ...SendOption) (R, error) {
	if _, ok := any(req).(M); !ok {
		var none R
		return none, &CallError{To: copyAddress(to.to), Err: fmt.Errorf("%w: %T", ErrRequestType, req)}
	}
	return Call[R](ctx, from, to.to, req, opts...)
}
