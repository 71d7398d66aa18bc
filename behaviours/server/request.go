package server

import (
	"context"
	"errors"
	"sync"

	"github.com/topos-go/topos/actor"
)

// Request is a call that was sent and whose response is waited for later, or
// never: OTP's request id. It is made with [SendRequest], and may be used by any
// goroutine.
type Request[R any] struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when there is a response

	value R // written before done is closed
	err   error

	mu       sync.Mutex
	complete bool
	then     []func() // what to do when there is a response
}

// SendRequest sends req to the process at to as [actor.Call] does, but does not
// wait for the reply. When it returns the request has its place among the
// messages that this process or goroutine sends to to: on the same node exactly,
// between nodes as far as their default channel keeps it. It waits itself only
// where a send would: for room in a mailbox that blocks.
//
// The request is given up when ctx ends, at its deadline or else after
// actor.DefaultCallTimeout, when it is abandoned, and when the process that sent
// it ends. What fails a call fails the response, with the same errors. ctx must
// live as long as the request is meant to: self.Context() of a call in hand ends
// when that call has been answered.
func SendRequest[R any](ctx context.Context, from actor.Caller, to actor.Address, req any, opts ...actor.SendOption) *Request[R] {
	ctx, cancel := context.WithCancel(ctx)
	r := &Request[R]{cancel: cancel, done: make(chan struct{})}
	leave := func() bool { return true }
	if self, ok := from.(*actor.Self); ok {
		// A process waits in one call at a time, on its own goroutine.
		life := self.System().ProcessContext(self.PID())
		if leave = context.AfterFunc(life, cancel); life.Err() != nil {
			cancel() // AfterFunc does so in its own time
		}
		from = self.System()
	}
	d := &departing{Context: ctx, sent: make(chan struct{})}
	// It ends with ctx, to whose end the sender's is joined.
	go func() {
		value, err := actor.Call[R](d, from, to, req, opts...)
		d.depart() // if it was refused
		leave()
		cancel()
		r.respond(value, err)
	}()
	<-d.sent
	return r
}

// departing is a context that tells when somebody begins to wait for it. A call
// does so once its request is in the callee's mailbox, or in the line before it,
// or on its way to another node.
type departing struct {
	context.Context
	once sync.Once
	sent chan struct{}
}

func (d *departing) Done() <-chan struct{} {
	d.depart()
	return d.Context.Done()
}

func (d *departing) depart() { d.once.Do(func() { close(d.sent) }) }

func (r *Request[R]) respond(value R, err error) {
	r.value, r.err = value, err
	close(r.done)
	r.mu.Lock()
	then := r.then
	r.complete, r.then = true, nil
	r.mu.Unlock()
	for _, f := range then {
		f()
	}
}

// after calls f when there is a response: now, if there is one.
func (r *Request[R]) after(f func()) {
	r.mu.Lock()
	if !r.complete {
		r.then = append(r.then, f)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	f()
}

// Done returns a channel that is closed when there is a response.
func (r *Request[R]) Done() <-chan struct{} { return r.done }

// Check returns the response if there is one, and does not wait. It is OTP's
// check_response.
func (r *Request[R]) Check() (value R, err error, ok bool) {
	select {
	case <-r.done:
		return r.value, r.err, true
	default:
		return value, nil, false
	}
}

// Wait waits for the response. When ctx ends first it fails with
// actor.ErrTimeout or ctx's error, and the request stands: it is OTP's
// wait_response. A process should pass its self.Context(), so that an exit
// signal ends the wait.
func (r *Request[R]) Wait(ctx context.Context) (R, error) {
	select {
	case <-r.done:
		return r.value, r.err
	default:
	}
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none R
		return none, waitError(ctx)
	}
}

// Receive is [Request.Wait], except that the request is abandoned when ctx ends
// first: it is OTP's receive_response.
func (r *Request[R]) Receive(ctx context.Context) (R, error) {
	value, err := r.Wait(ctx)
	if _, _, ok := r.Check(); !ok {
		r.Abandon()
	}
	return value, err
}

// Abandon gives the request up: a reply that comes later is dropped, the context
// of whoever is handling it is cancelled, and the response is context.Canceled.
// A request that has its response keeps it.
func (r *Request[R]) Abandon() { r.cancel() }

// Notify sends msg to the process at to when there is a response, at once if
// there is one: with it a process goes on with its other messages, and calls
// [Request.Check] when msg comes. from is a system, or the process itself.
func (r *Request[R]) Notify(from actor.Sender, to actor.Address, msg any) {
	if self, ok := from.(*actor.Self); ok {
		from = self.System()
	}
	r.after(func() { _ = from.Send(to, msg) }) // whoever is gone wants no news
}

// waitError is how a wait reports that its ctx has ended.
func waitError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return actor.ErrTimeout
	}
	return ctx.Err()
}
