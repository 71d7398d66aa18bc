package rpc

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Errors that come from servers. They keep their identity between nodes that
// have registered [WireErrors].
var (
	// ErrServer marks what the handler itself answered. It is not tried again.
	ErrServer = errors.New("rpc: answer of the server")
	// ErrRetry marks an error of a handler that asks to be tried again; see
	// [Retry].
	ErrRetry = errors.New("rpc: may be tried again")
	// ErrOverloaded is the answer of a server whose queue is full. The request
	// has not run.
	ErrOverloaded = errors.New("rpc: server overloaded")
	// ErrForgotten is the answer to a try of a request of which the server can
	// no longer say whether it has run: it fell out of the server's [Window].
	// The server does not run it.
	ErrForgotten = errors.New("rpc: request fell out of the window")
	// ErrNoSession is the answer to a request of a session that the server does
	// not have, or no longer. Clients open another one, unless an earlier try
	// may have run, which is then ErrForgotten.
	ErrNoSession = errors.New("rpc: no such session")
	// ErrCancelled is the answer of a server to a request that was cancelled
	// before it ran.
	ErrCancelled = errors.New("rpc: cancelled by the caller")
	// ErrExpired is the answer of a server to a request whose caller had given
	// up before it could run.
	ErrExpired = errors.New("rpc: expired before it ran")
)

// Retry returns an error that wraps err and tells the client to try again. A
// handler that returns it promises that the request had no effect: its next try
// runs the handler anew, here or on another node.
func Retry(err error) error {
	if err == nil {
		return ErrRetry
	}
	return fmt.Errorf("%w: %w", err, ErrRetry)
}

// Error is why a [Call] failed.
type Error struct {
	// To is the server that was asked last.
	To actor.Address
	// Tries is how many requests were sent.
	Tries int
	// Unknown says that the request may have run, once at each server asked.
	// The Error then wraps actor.ErrOutcomeUnknown.
	Unknown bool
	// Err is how the last try failed.
	Err error
}

func (e *Error) Error() string {
	unknown := ""
	if e.Unknown {
		unknown = ", outcome unknown"
	}
	return fmt.Sprintf("rpc: call of %v (%d tries%s): %v", e.To, e.Tries, unknown, e.Err)
}

// Unwrap returns Err and, if Unknown, actor.ErrOutcomeUnknown.
func (e *Error) Unwrap() []error {
	if e.Unknown {
		return []error{e.Err, actor.ErrOutcomeUnknown}
	}
	return []error{e.Err}
}
