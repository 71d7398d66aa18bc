package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// Exit reasons. A process ends with an error as its reason: one of these, a
// [*PanicError], or whatever error the actor returned. Links, monitors and
// callers see that error; [errors.Is] and [errors.As] work on it.
//
// As in OTP, [ErrNormal] and [ErrShutdown], and errors that wrap them, are
// orderly ends: a Transient child is not restarted after them and nothing is
// logged. Every other reason is abnormal.
var (
	// ErrNormal ends a process that has done its work. A linked process that
	// does not trap exits is not disturbed by it.
	ErrNormal = errors.New("actor: normal")
	// ErrShutdown ends a process that its supervisor asked to stop. Wrap it to
	// say why: fmt.Errorf("drained: %w", actor.ErrShutdown) is OTP's
	// {shutdown, Term}.
	ErrShutdown = errors.New("actor: shutdown")
	// ErrKilled is the reason of a process that was killed. Sent as an exit
	// signal by [Self.Exit] it cannot be trapped.
	ErrKilled = errors.New("actor: killed")
	// ErrZombie is the reason of a killed process whose handler had not
	// returned when the kill grace ended. Its goroutine may still be running.
	ErrZombie = errors.New("actor: zombie")
	// ErrNoProc says that there is no such process: it has ended, or never was.
	ErrNoProc = errors.New("actor: no such process")
	// ErrNoConnection says that the process's node cannot be reached.
	ErrNoConnection = errors.New("actor: no connection to the node")
	// ErrOutcomeUnknown is why an acknowledged message became a dead letter of
	// which nobody knows whether it arrived; see [Ack].
	ErrOutcomeUnknown = errors.New("actor: outcome unknown")
	// ErrGoexit ends a process whose handler called [runtime.Goexit], as
	// testing.T.FailNow does.
	ErrGoexit = errors.New("actor: handler called runtime.Goexit")
)

// Errors of operations. Calls wrap them in a [*CallError].
var (
	// ErrNilMessage is returned by every send and call of a nil message.
	ErrNilMessage = errors.New("actor: nil message")
	// ErrMailboxFull is returned when a bounded mailbox refused the message.
	ErrMailboxFull = errors.New("actor: mailbox full")
	// ErrTimeout is returned by a call whose deadline passed. It matches
	// context.DeadlineExceeded too.
	ErrTimeout error = timeoutError{}
	// ErrCallSelf is returned by a call of a process to itself, which could
	// never be answered.
	ErrCallSelf = errors.New("actor: process called itself")
	// ErrNoReply is returned by a call whose handler returned without having
	// answered and without having kept the [From] to answer later.
	ErrNoReply = errors.New("actor: handler did not reply")
	// ErrReplyType is returned by a call whose reply is not of the type asked for.
	ErrReplyType = errors.New("actor: reply of another type")
	// ErrRequestType is returned by Ask for a request that the Ref does not take.
	ErrRequestType = errors.New("actor: request of another type")
	// ErrNameTaken is returned when a name is held by a process already.
	ErrNameTaken = errors.New("actor: name already registered")
	// ErrInvalidName is returned when an empty name is registered.
	ErrInvalidName = errors.New("actor: invalid name")
	// ErrIgnore, returned by Init, says that the process need not exist. A
	// supervisor then goes on without the child, as after OTP's ignore.
	ErrIgnore = errors.New("actor: ignore")
	// ErrClosed is returned by Spawn on a closed [System], and by Close when
	// zombies are left.
	ErrClosed = errors.New("actor: system closed")
	// ErrNoCluster is returned by operations that need other nodes or cluster
	// names on a System that has no [Router] or [Names].
	ErrNoCluster = errors.New("actor: system is not part of a cluster")
	// ErrTooManyProcesses is returned by Spawn when the table is full.
	ErrTooManyProcesses = errors.New("actor: too many processes")
	// ErrStashFull is returned by [Self.Stash] at the stash limit.
	ErrStashFull = errors.New("actor: stash full")
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "actor: call timed out" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// CallError says which call failed and why. Err is the callee's exit reason
// when the callee ended before it answered, the error given to
// [Self.ReplyError] when it answered with one, or one of this package's errors.
type CallError struct {
	To  Address
	Err error

	unsent bool // the request never was in a mailbox
}

// Unhandled reports whether err says of the request whose [*CallError] it is that
// it certainly was not handled, so that it may be made elsewhere: it could not be
// sent, there was no such process, or a mailbox refused it. That the callee itself
// has answered with such an error, or has ended with it, does not count.
func Unhandled(err error) bool {
	e, ok := err.(*CallError)
	return ok && (e.unsent || e.Err == ErrNoProc || e.Err == ErrMailboxFull)
}

// calleesOwn is err as a callee's answer or exit reason: told apart from the word
// of the kernel, here or on another node, that the request was not handled.
func calleesOwn(err error) error {
	if err == ErrNoProc || err == ErrMailboxFull {
		return fmt.Errorf("callee: %w", err)
	}
	return err
}

func (e *CallError) Error() string { return fmt.Sprintf("call to %v: %v", e.To, e.Err) }

// Unwrap returns e.Err.
func (e *CallError) Unwrap() error { return e.Err }

// PanicError is the exit reason of a process whose code panicked.
type PanicError struct {
	// Value is what was passed to panic.
	Value any
	stack []uintptr
}

// maxPanicFrames bounds the stack kept with a PanicError.
const maxPanicFrames = 48

// NewPanicError returns the error of a panic with that value, as recover has
// returned it, with the stack of the panic. It must be called by the deferred
// function that has recovered, or by what that calls. It is for those who contain
// the panics of others themselves; the kernel does so for processes.
func NewPanicError(value any) *PanicError {
	// Program counters are kept and symbolised only when somebody looks:
	// formatting a stack takes longer than restarting the process.
	pcs := make([]uintptr, maxPanicFrames)
	n := runtime.Callers(2, pcs)
	return &PanicError{Value: value, stack: pcs[:n]}
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Stack formats the calls that led to the panic, innermost first, one
// "function (file:line)" a line. The runtime's own way of panicking is left out,
// and so is what has recovered. It is empty if the error came from another node.
func (e *PanicError) Stack() string {
	var b strings.Builder
	frames := runtime.CallersFrames(e.stack)
	const before, within, after = 0, 1, 2 // the runtime's way of panicking
	for at := before; ; {
		f, more := frames.Next()
		switch {
		case at == before && f.Function == "runtime.gopanic":
			at = within
		case at == within && !strings.HasPrefix(f.Function, "runtime."):
			at = after
		}
		if at == after && f.Function != "" {
			fmt.Fprintf(&b, "%s (%s:%d)\n", f.Function, f.File, f.Line)
		}
		if !more {
			return b.String()
		}
	}
}

// Abnormal reports whether reason is the reason of a failure: neither
// [ErrNormal] nor [ErrShutdown], nor an error that wraps one of them.
func Abnormal(reason error) bool {
	return !errors.Is(reason, ErrNormal) && !errors.Is(reason, ErrShutdown)
}
