package actor

import (
	"context"
	"sync"
)

// Request is a call that was sent and whose response is waited for later, or
// never: OTP's request id. It is made with [SendRequest], may be used by any
// goroutine, and has none of its own.
type Request[R any] struct {
	pending
	read  sync.Once // value and err are made of the response
	value R
	err   error
}

// SendRequest sends req to the process at to as [Call] does, but does not wait
// for the reply. When it returns the request has its place among the messages
// that this process or goroutine sends to to. It waits itself only where a send
// would: for room in a mailbox that blocks. A process may ask itself.
//
// The request is given up when ctx ends, at its deadline or else after
// [DefaultCallTimeout], when it is abandoned, and when the process that sent it
// ends or receives an exit signal that ends it; a reply that comes later is
// dropped. What fails a call fails the response, with the same errors, the
// callee's exit reason among them. ctx must live as long as the request is meant
// to: [Self.Context] of a call in hand ends when that call has been answered.
func SendRequest[R any](ctx context.Context, from Caller, to Address, req any, opts ...SendOption) *Request[R] {
	r := new(Request[R])
	r.to = copyAddress(to)
	r.send(ctx, from, req, opts)
	return r
}

// Done returns a channel that is closed when there is a response.
func (r *Request[R]) Done() <-chan struct{} { return r.closed() }

// Check returns the response if there is one, and does not wait. It is OTP's
// check_response.
func (r *Request[R]) Check() (value R, err error, ok bool) {
	if !r.responded() {
		return value, nil, false
	}
	value, err = r.response()
	return value, err, true
}

// Wait waits for the response. When ctx ends first it fails with ErrTimeout or
// ctx's error, and the request stands: it is OTP's wait_response. A process
// should pass its [Self.Context], so that an exit signal ends the wait.
func (r *Request[R]) Wait(ctx context.Context) (R, error) {
	if !r.responded() {
		select {
		case <-r.closed():
		case <-ctx.Done():
			if !r.responded() {
				var none R
				return none, ContextError(ctx)
			}
		}
	}
	return r.response()
}

// Receive is [Request.Wait], except that the request is abandoned when ctx ends
// first: it is OTP's receive_response.
func (r *Request[R]) Receive(ctx context.Context) (R, error) {
	value, err := r.Wait(ctx)
	r.Abandon()
	return value, err
}

// Abandon gives the request up: a reply that comes later is dropped, the context
// of whoever is handling it is cancelled, and the response is context.Canceled.
// A request that has its response keeps it.
func (r *Request[R]) Abandon() { r.ref.complete(nil, context.Canceled, false) }

// AfterFunc calls f when there is a response, now if there is one. f is called by
// whoever has answered, inside of what that is about: it must be quick and must
// not wait.
func (r *Request[R]) AfterFunc(f func()) { r.after(f) }

// Notify puts msg into the mailbox of the process to, of this node, when there is
// a response, at once if there is one; like a timer's, it is not refused by a
// mailbox that is full. With it a process goes on with its other messages, and
// calls [Request.Check] when msg comes. It panics if msg is nil.
func (r *Request[R]) Notify(to PID, msg any) {
	if msg == nil {
		panic(ErrNilMessage)
	}
	r.after(func() { r.sys.notify(to, msg) })
}

// response makes an R of the response that is there.
func (r *Request[R]) response() (R, error) {
	r.read.Do(func() {
		if r.err = r.failure; r.err == nil {
			r.value, r.err = replyAs[R](r.to, r.reply)
		}
	})
	return r.value, r.err
}

// notify is deliver of a message of a request's to a process that waits for it.
func (s *System) notify(to PID, msg any) {
	err := ErrNoProc
	if p := s.procs.find(to.id); p != nil && to.node == s.node {
		err = p.deliver(msg, nil, true)
	}
	if err != nil {
		s.deadLetter(DeadLetter{To: to, Message: msg, Reason: err})
	}
}
