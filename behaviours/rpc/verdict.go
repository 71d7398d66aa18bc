package rpc

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

// Verdict is what an error of one try means for the call.
type Verdict uint8

const (
	// Unjudged leaves the judgement to the package; see [Judge].
	Unjudged Verdict = iota
	// Final ends the call: the error is its outcome.
	Final
	// Again tries the same server again, and another one when that was in vain
	// too often. The request may have run.
	Again
	// AgainUnrun is Again when the request certainly has not run.
	AgainUnrun
	// Elsewhere tries another server at once, since this one is lost. The
	// request may have run.
	Elsewhere
	// ElsewhereUnrun is Elsewhere when this try certainly has not run.
	ElsewhereUnrun
)

// String returns the verdict's name, such as "again".
func (v Verdict) String() string {
	switch v {
	case Final:
		return "final"
	case Again:
		return "again"
	case AgainUnrun:
		return "again, not run"
	case Elsewhere:
		return "elsewhere"
	case ElsewhereUnrun:
		return "elsewhere, not run"
	}
	return "unjudged"
}

// ran says whether the request may have run.
func (v Verdict) ran() bool { return v == Again || v == Elsewhere || v == Unjudged }

// lost says whether the server is lost.
func (v Verdict) lost() bool { return v == Elsewhere || v == ElsewhereUnrun }

// Judge returns what the package makes of an error of one try:
//
//	what the handler answered (ErrServer)            Final
//	what the handler answered with Retry             AgainUnrun
//	ErrOverloaded, a full mailbox or queue           AgainUnrun
//	the try's timeout                                Again
//	no such process                                  ElsewhereUnrun
//	the node is lost                                 Elsewhere
//	a message that cannot be sent or understood      Final
//	ErrForgotten, ErrCancelled, ErrExpired           Final
//	the exit reason of a server that ended meanwhile Elsewhere
//
// The last is every error that is none of the others.
func Judge(err error) Verdict {
	switch {
	case errors.Is(err, ErrServer):
		if errors.Is(err, ErrRetry) {
			return AgainUnrun
		}
		return Final
	case isOne(err, ErrForgotten, ErrCancelled, ErrExpired, context.Canceled):
		return Final
	case reasonOfItsEnd(err):
		return Elsewhere
	case isOne(err, ErrOverloaded, ErrNoSession, actor.ErrMailboxFull, remote.ErrQueueFull):
		return AgainUnrun
	case isOne(err, actor.ErrNoConnection, remote.ErrNotMember):
		return Elsewhere
	case isOne(err, actor.ErrNoProc):
		return ElsewhereUnrun
	case isOne(err, actor.ErrNilMessage, actor.ErrCallSelf, actor.ErrNoReply, actor.ErrReplyType,
		actor.ErrRequestType, actor.ErrNoCluster, codec.ErrUnknownType, codec.ErrEncode, codec.ErrDecode,
		remote.ErrTooLarge, remote.ErrNoChannel):
		return Final
	case isOne(err, context.DeadlineExceeded): // actor.ErrTimeout matches it
		return Again
	}
	return Elsewhere
}

// reasonOfItsEnd says whether err only looks as if the request had not reached the
// server: that has ended with such an error, of a call of its own.
func reasonOfItsEnd(err error) bool {
	e, ok := errors.AsType[*actor.CallError](err)
	return ok && !actor.Unhandled(e) && isOne(e, actor.ErrMailboxFull, remote.ErrQueueFull, actor.ErrNoProc)
}

func isOne(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
