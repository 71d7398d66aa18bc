package actor

import (
	"context"
	"sync"
)

// pending is a [Request] whose response has no type yet. It takes the place of
// the goroutine that waits in a [Call].
//
// Invariants:
//  1. The fields above mu are written before the request is sent.
//  2. reply and failure are written once, before complete is set.
//  3. The call is not reused before send is through with it: its reply may come
//     while the sender still waits for room in the mailbox.
//  4. What ends a request by itself, its timer, its context and the end of its
//     sender, is watched only once it is in the callee's custody, and while it is
//     not complete: a call that was complete before would stay there.
type pending struct {
	sys  *System
	from *process // that sent it; nil: none
	to   Address
	ref  callRef

	mu       sync.Mutex
	complete bool
	reply    any
	failure  error
	done     chan struct{} // if somebody has asked for it; closed when complete
	then     []func()      // called when complete
	sent     bool          // send is through
	armed    bool          // the call's timer runs
	leave    [2]func() bool
}

// send sends the request, or makes why not its response.
func (r *pending) send(ctx context.Context, from Caller, req any, opts []SendOption) {
	r.sys, r.from = from.caller()
	if err := r.refused(ctx, req); err != nil {
		r.complete, r.failure = true, &CallError{To: r.to, Err: err}
		return
	}
	c := r.sys.newCall(req)
	c.prepare(ctx, opts)
	c.request, r.ref = r, c.ref()
	if err := r.sys.request(ctx, c, r.from, r.to); err != nil {
		if r.from != nil && r.from.ending() {
			err = context.Canceled // while it waited for room
		}
		if r.ref.complete(nil, err, false) {
			r.failure.(*CallError).unsent = true // nobody else has r yet
		}
		return
	}
	r.watch(ctx, c)
}

// refused is why a request is not sent.
func (r *pending) refused(ctx context.Context, req any) error {
	switch {
	case req == nil:
		return ErrNilMessage
	case r.from != nil && r.from.ending():
		return context.Canceled
	case ctx.Err() != nil:
		return ContextError(ctx)
	}
	return nil
}

// ending reports whether p must not wait for anything any more.
func (p *process) ending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.interruptedLocked() != nil
}

// watch lets what gives the request up do so.
func (r *pending) watch(ctx context.Context, c *call) {
	var life context.Context
	if r.from != nil {
		life = r.from.lifeContext()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = true
	if r.complete {
		return
	}
	if c.deadline.IsZero() {
		r.armed = true
		c.arm()
	}
	ref := r.ref
	if ctx.Done() != nil {
		r.leave[0] = context.AfterFunc(ctx, func() { ref.complete(nil, ContextError(ctx), false) })
	}
	if life != nil {
		r.leave[1] = context.AfterFunc(life, func() { ref.complete(nil, context.Canceled, false) })
	}
}

// respond is called once, by who has completed c.
func (r *pending) respond(c *call, value any, err error, replied bool) {
	if err != nil {
		r.failure = &CallError{To: r.to, Err: err}
	}
	r.reply = value
	r.mu.Lock()
	r.complete = true
	done, then, leave, sent, armed := r.done, r.then, r.leave, r.sent, r.armed
	r.then, r.leave = nil, [2]func() bool{}
	r.mu.Unlock()
	for _, stop := range leave {
		if stop != nil {
			stop()
		}
	}
	stopped := !armed || c.timer.Stop()
	if c.abroad != 0 {
		c.settleAbroad(r.from, err)
	}
	if replied && stopped && sent {
		r.sys.recycle(c)
	}
	if done != nil {
		close(done)
	}
	for _, f := range then {
		f()
	}
}

func (r *pending) responded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.complete
}

// closed returns the channel that is closed when the request is complete.
func (r *pending) closed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.complete {
			close(r.done)
		}
	}
	return r.done
}

// after calls f when the request is complete.
func (r *pending) after(f func()) {
	r.mu.Lock()
	complete := r.complete
	if !complete {
		r.then = append(r.then, f)
	}
	r.mu.Unlock()
	if complete {
		f()
	}
}
