package rpc

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// The messages that clients and servers on different nodes send to each other.
// They are exported for the wire codec only; see [WireTypes].
type (
	// Hello opens a session with a server. The reply is a Welcome.
	Hello struct{}
	// Welcome says which process the server is and what its new session is
	// called.
	Welcome struct {
		Server  actor.PID
		Session uint64
	}
	// Request is one try of one request: the same one as every other Request
	// with the same Session and Seq, or with the same Key.
	Request struct {
		Session, Seq uint64
		// Done says that the session's requests below it are over: what the
		// server remembers of them can be forgotten.
		Done uint64
		// Key, if not empty, is the caller's name for the request, and Issued
		// when it was first given.
		Key    string
		Issued time.Time
		// Budget is how long the caller goes on waiting, whatever the try.
		Budget time.Duration
		// Encoding, Type and Data are what is asked, encoded by the client.
		Encoding uint32
		Type     string
		Data     []byte

		body any // instead of Data within a node
	}
	// Cancel says that nobody waits for a request any more.
	Cancel struct {
		Session, Seq uint64
	}
)

// WireTypes returns a value of every type that clients and servers send to each
// other, to be registered with the cluster's codec.
func WireTypes() []any { return []any{Hello{}, Welcome{}, Request{}, Cancel{}} }

// WireErrors returns the errors that errors.Is is to recognise between nodes,
// to be registered with the cluster's codec.
func WireErrors() []error {
	return []error{ErrServer, ErrRetry, ErrOverloaded, ErrForgotten, ErrNoSession, ErrCancelled, ErrExpired}
}
