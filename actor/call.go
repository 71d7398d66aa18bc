package actor

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// DefaultCallTimeout is the deadline of a call whose context has none. It is
// OTP's.
const DefaultCallTimeout = 5 * time.Second

// Caller is where a call is made from: a [*Self] inside a process, or a
// [*System] (or a node that embeds one) from any other goroutine. The set is
// closed.
type Caller interface {
	caller() (*System, *process)
}

func (s *Self) caller() (*System, *process)   { return s.sys, (*process)(s) }
func (s *System) caller() (*System, *process) { return s, nil }

// Call sends req to the process at to and waits for its reply, which must be
// an R.
//
// It fails with a [*CallError], at once when the callee ends (with its exit
// reason), is unknown (ErrNoProc) or its node is lost (ErrNoConnection), and
// with ErrTimeout when ctx's deadline passes; a ctx without a deadline gets
// [DefaultCallTimeout]. A reply that comes later is dropped. After a timeout
// nothing is known of whether req was or will be handled.
//
// The reply does not pass through the caller's mailbox. A process that waits
// in a Call handles nothing else meanwhile; an exit signal or a kill ends the
// wait.
//
// opts say how the request travels to another node; the reply comes back over
// the same channel.
func Call[R any](ctx context.Context, from Caller, to Address, req any, opts ...SendOption) (R, error) {
	value, err := callAny(ctx, from, to, req, opts)
	if err != nil {
		var none R
		return none, err
	}
	return replyAs[R](to, value)
}

// call is one request and the place where its reply arrives. Calls are reused;
// a generation keeps a late reply from reaching a later request.
//
// Invariants:
//  1. state is generation<<1 while the call waits; its lowest bit is set once,
//     by the one goroutine that completes the call.
//  2. A call is reused only after a reply, because only then is it known that
//     no mailbox refers to it any more.
type call struct {
	state    atomic.Uint64
	msg      any
	deadline time.Time // zero: DefaultCallTimeout from now
	trace    []byte
	via      Delivery
	origin   origin // where the request came from, if from another node
	abroad   uint64 // the request's number, if it went to another node

	// Custody: the list of requests that callee has accepted and not answered.
	// Guarded by callee.mu.
	callee     *process
	prev, next *call
	held       bool
	limited    *callContext // if callee has asked for it

	request *pending // that waits for the outcome; nil: a goroutine does, at ready

	// The outcome, written by the completer before it sends to ready.
	value   any
	err     error
	replied bool
	ready   chan struct{} // capacity 1
	timer   *time.Timer   // calls timedOut
	sys     *System
}

// callRef is a call in one generation.
type callRef struct {
	c    *call
	word uint64 // call.state while the call waits; the lowest bit is free
}

const refKept = 1 // set in process.current.word when the handler keeps the From

func (c *call) ref() callRef { return callRef{c, c.state.Load() &^ 1} }

// waiting reports whether nobody has completed r yet.
func (r callRef) waiting() bool { return r.c != nil && r.c.state.Load() == r.word&^refKept }

// complete ends the wait of r. It reports false if somebody else has.
func (r callRef) complete(value any, err error, replied bool) bool {
	c, word := r.c, r.word&^refKept
	if c == nil || !c.state.CompareAndSwap(word, word|1) {
		return false
	}
	if p := c.callee; p != nil {
		p.mu.Lock()
		if c.held {
			p.annex.Load().calls.remove(c)
		}
		limited := c.limited
		c.limited = nil
		p.mu.Unlock()
		if replied || err == ErrTimeout && !c.deadline.IsZero() {
			limited.leave() // what is late ends by itself, now
		} else {
			limited.end() // nobody wants the reply any more
		}
	}
	switch {
	case c.origin.node == (NodeHandle{}):
	case err == errWithdrawn:
		return true
	default:
		c.answerRemote(value, err)
		return true
	}
	if c.request != nil {
		c.request.respond(c, value, err, replied)
		return true
	}
	c.value, c.err, c.replied = value, err, replied
	c.ready <- struct{}{}
	return true
}

func (s *System) newCall(msg any) *call {
	c := s.calls.Get().(*call)
	if c.ready == nil {
		c.ready = make(chan struct{}, 1)
		c.sys = s
	}
	c.msg = msg
	return c
}

// recycle makes c ready for another request.
func (s *System) recycle(c *call) {
	c.state.Store(c.state.Load() + 1) // a new generation, waiting
	c.msg, c.value, c.err, c.callee, c.trace, c.deadline = nil, nil, nil, nil, nil, time.Time{}
	c.request = nil
	c.replied = false
	if c.via != (Delivery{}) {
		c.via = Delivery{}
	}
	s.calls.Put(c)
}

// callAny is Call before its reply has a type.
func callAny(ctx context.Context, from Caller, to Address, req any, opts []SendOption) (any, error) {
	sys, p := from.caller()
	if req == nil {
		return nil, &CallError{To: copyAddress(to), Err: ErrNilMessage}
	}
	if p != nil && p.fenced() {
		return nil, &CallError{To: copyAddress(to), Err: ErrKilled}
	}
	if ctx.Err() != nil {
		return nil, &CallError{To: copyAddress(to), Err: ContextError(ctx)}
	}
	c := sys.newCall(req)
	c.prepare(ctx, opts)
	unsent := false
	err := sys.request(ctx, c, p, to)
	if err != nil {
		unsent = c.ref().complete(nil, err, false)
	}
	value, err := c.outcome(ctx, p, err)
	if err != nil {
		return nil, &CallError{To: copyAddress(to), Err: err, unsent: unsent}
	}
	return value, nil
}

// outcome waits, in p if that is not nil, until c is complete, unless sending it
// has failed with err. c is not the caller's any more then.
func (c *call) outcome(ctx context.Context, p *process, err error) (any, error) {
	ref, sys := c.ref(), c.sys
	if err == nil && p != nil {
		err = p.blockOn(ref)
		defer p.unblock()
	}
	if err != nil {
		ref.complete(nil, err, false)
	}
	stopped := ref.wait(ctx)
	value, err := c.value, c.err
	if c.abroad != 0 {
		c.settleAbroad(p, err)
	}
	if c.replied && stopped {
		sys.recycle(c)
	}
	return value, err
}

// prepare notes how the request is to be sent.
func (c *call) prepare(ctx context.Context, opts []SendOption) {
	if d, ok := ctx.Deadline(); ok {
		c.deadline = d
	}
	c.trace = TraceFrom(ctx)
	if len(opts) == 0 {
		return
	}
	o := gather(opts)
	if c.via = o.via; o.trace != nil {
		c.trace = o.trace
	}
}

// wait returns when r is complete, completing it itself if ctx ends first. It
// reports false if the call's timer has fired, so that it may still be about
// to complete a call that it takes for r.
func (r callRef) wait(ctx context.Context) (stopped bool) {
	c, done := r.c, ctx.Done()
	byDefault := c.deadline.IsZero()
	if byDefault {
		c.arm()
	}
	if done == nil {
		<-c.ready
	} else {
		select {
		case <-c.ready:
		case <-done:
			r.complete(nil, ContextError(ctx), false)
			<-c.ready
		}
	}
	return !byDefault || c.timer.Stop()
}

// ContextError is how a wait reports that ctx has ended: ErrTimeout if its deadline
// has passed, else its error.
func ContextError(ctx context.Context) error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrTimeout
	}
	return err
}

// dueBy is when the caller will give up.
func (c *call) dueBy() time.Time {
	if c.deadline.IsZero() {
		return time.Now().Add(DefaultCallTimeout)
	}
	return c.deadline
}

// arm starts the default deadline.
func (c *call) arm() {
	if c.timer == nil {
		c.timer = time.AfterFunc(DefaultCallTimeout, c.timedOut)
		return
	}
	c.timer.Reset(DefaultCallTimeout)
}

func (c *call) timedOut() { c.ref().complete(nil, ErrTimeout, false) }

// blockOn notes that p waits for r, so that an exit signal can end the wait.
func (p *process) blockOn(r callRef) error {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.interruptedLocked(); err != nil {
		return err
	}
	a.blocked = r
	return nil
}

func (p *process) unblock() {
	p.mu.Lock()
	p.annex.Load().blocked = callRef{}
	p.mu.Unlock()
}

// interruptedLocked is the reason why p must not wait for anything any more.
func (p *process) interruptedLocked() error {
	if p.fenced() || p.phase == phaseDead {
		return ErrKilled
	}
	if p.phase != phaseExiting && p.fence.Load()&fenceExit != 0 {
		return p.annex.Load().exit
	}
	return nil
}

// request sends c on its way to to.
func (s *System) request(ctx context.Context, c *call, from *process, to Address) error {
	pid, ok := to.(PID)
	if !ok || pid.node != s.node {
		t, err := s.resolve(to)
		if err != nil {
			return err
		}
		if t.remote(s) {
			return s.requestRemote(c, from, t)
		}
		pid = t.pid
	}
	p := s.procs.find(pid.id)
	if p == nil {
		return ErrNoProc
	}
	if p == from && c.request == nil {
		return ErrCallSelf
	}
	return p.deliverCall(ctx, c, from)
}
