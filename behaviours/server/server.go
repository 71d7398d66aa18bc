package server

import (
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// Server is the behaviour of a server process. The callbacks run one at a time
// on the process's goroutine. An error ends the process with that reason;
// return actor.ErrNormal to stop.
//
// A Server may implement [Initializer], [InfoHandler], [Continuer],
// [TimeoutHandler] and actor.Terminator as well. One whose requests and casts
// have types is made with [Typed].
type Server interface {
	// HandleCall answers req with self.Reply or self.ReplyError, or keeps
	// self.From() to answer later.
	HandleCall(self *actor.Self, req any) (Next, error)
	// HandleCast handles a message that needs no answer.
	HandleCast(self *actor.Self, msg any) (Next, error)
}

// Next says what a server does after a callback. The zero Next waits for the
// next message.
type Next struct {
	// Continue, if not nil, is handed to HandleContinue before any other
	// message: a way to do the second half of a long Init, whose spawner does
	// not wait for it, or to split work.
	Continue any
	// Timeout, if positive, asks for HandleTimeout when no message has arrived
	// for that long. Any message, of whatever kind, takes the request back.
	Timeout time.Duration
	// Final, if not nil, is the reply to the call in hand of a callback that
	// also returns an error: it is given when Terminate has run, as OTP's
	// {stop, Reason, Reply, State} says. It means nothing without an error, nor
	// when the server is killed.
	Final any
}

// Initializer is a [Server] that prepares itself on the spawner's goroutine
// before it is seen. See actor.Initializer for what an error does.
type Initializer interface {
	Init(self *actor.Self) (Next, error)
}

// InfoHandler is a [Server] that wants the kernel's messages: actor.Down,
// actor.Exit, actor.NodeDown and actor.ReceiveTimeout. Without it they are
// logged and dropped, as by gen_server's default.
type InfoHandler interface {
	HandleInfo(self *actor.Self, msg any) (Next, error)
}

// Continuer is a [Server] that uses [Next.Continue].
type Continuer interface {
	HandleContinue(self *actor.Self, arg any) (Next, error)
}

// TimeoutHandler is a [Server] that uses [Next.Timeout].
type TimeoutHandler interface {
	HandleTimeout(self *actor.Self) (Next, error)
}

// Errors that end a server whose callback asked for something it does not
// handle. Both are mistakes in the program.
var (
	// ErrNoContinuer ends a Server that returned a Continue without being a Continuer.
	ErrNoContinuer = errors.New("server: Next.Continue without HandleContinue")
	// ErrNoTimeoutHandler ends a Server that returned a Timeout without being a TimeoutHandler.
	ErrNoTimeoutHandler = errors.New("server: Next.Timeout without HandleTimeout")
)

// New returns the actor that runs s. Each process needs a Server of its own.
func New(s Server) actor.Actor { return &process{server: s} }

// Start returns the start function of a supervised server. newServer makes a
// fresh Server for every start.
func Start(newServer func() Server, opts ...actor.SpawnOption) actor.StartFunc {
	return actor.Start(func() actor.Actor { return New(newServer()) }, opts...)
}
