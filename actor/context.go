package actor

import (
	"context"
	"sync/atomic"
	"time"
)

// life is the context of a process, from when it is first asked for until the
// process ends.
type life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// traceContext is a context with a trace: what Value has for a traceKey is the
// traceContext itself.
type traceContext struct {
	context.Context
	trace []byte
}

type traceKey struct{}

func (c *traceContext) Value(key any) any {
	if _, ok := key.(traceKey); ok {
		return c
	}
	return c.Context.Value(key)
}

// ContextWithTrace returns a copy of ctx that carries trace. A [Call] made with
// it, and a message sent with [Traced], carry the same bytes to the receiver,
// whose [Self.Context] has them again. The kernel does not look into them; they
// are meant for a W3C traceparent. The caller must not change trace afterwards.
func ContextWithTrace(ctx context.Context, trace []byte) context.Context {
	return &traceContext{ctx, trace}
}

// TraceFrom returns the bytes that [ContextWithTrace] put into ctx, or nil. The
// caller must not change them.
func TraceFrom(ctx context.Context) []byte {
	if ctx == context.Background() {
		return nil
	}
	if c, ok := ctx.(*traceContext); ok {
		return c.trace
	}
	if c, ok := ctx.Value(traceKey{}).(*traceContext); ok {
		return c.trace
	}
	return nil
}

// lifeContext returns p's context, which is cancelled with the exit reason as
// its cause. In Terminate it is a fresh one, which only a kill cancels.
func (p *process) lifeContext() context.Context {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.life == nil {
		ctx, cancel := context.WithCancelCause(p.sys.base)
		a.life = &life{ctx, cancel}
		if err := p.interruptedLocked(); err != nil {
			cancel(err)
		}
	}
	return a.life.ctx
}

// callContext is the context of a call that is being handled. It is cancelled
// when nobody waits for the reply any more, and when nobody uses it any more: its
// users are each handler that has asked for it, until it returns, and the call,
// until it is answered.
type callContext struct {
	ctx    context.Context
	cancel context.CancelFunc
	users  atomic.Int32
}

func (l *callContext) leave() {
	if l != nil && l.users.Add(-1) == 0 {
		l.cancel()
	}
}

func (l *callContext) end() {
	if l != nil {
		l.cancel()
	}
}

// messageContext returns the context of the message in hand.
func (p *process) messageContext() context.Context {
	ctx := p.lifeContext()
	a := p.annex.Load()
	if a.limited != nil {
		return a.limited.ctx
	}
	trace, deadline := a.trace, a.deadline
	if p.current.word&refKept == 0 && p.current.waiting() {
		trace, deadline = p.current.c.trace, p.current.c.dueBy()
	}
	if trace != nil {
		ctx = ContextWithTrace(ctx, trace)
	}
	if deadline.IsZero() {
		return ctx
	}
	a.limited = p.limit(ctx, deadline)
	return a.limited.ctx
}

// limit returns the context of the call in hand for its handler.
func (p *process) limit(ctx context.Context, deadline time.Time) *callContext {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.current.waiting()
	if waiting && p.current.c.limited != nil { // it was stashed meanwhile
		p.current.c.limited.users.Add(1)
		return p.current.c.limited
	}
	l := new(callContext)
	l.ctx, l.cancel = context.WithDeadline(ctx, deadline)
	l.users.Add(1)
	if waiting {
		l.users.Add(1)
		p.current.c.limited = l
	}
	return l
}

// ProcessContext returns a context that ends, with the reason as its cause, when
// the local process pid must not wait any more: an exit signal has come that
// ends it, it was killed, or it has ended. A [Router] that makes a sender wait
// asks for it.
func (s *System) ProcessContext(pid PID) context.Context {
	if pid.node == s.node {
		if p := s.procs.find(pid.id); p != nil {
			return p.lifeContext()
		}
	}
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(ErrNoProc)
	return ended
}
