package actor

import "context"

// life is the context of a process, from when it is first asked for until the
// process ends.
type life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

type traceKey struct{}

// ContextWithTrace returns a copy of ctx that carries trace. A [Call] made with
// it, and a message sent with [Traced], carry the same bytes to the receiver,
// whose [Self.Context] has them again. The kernel does not look into them; they
// are meant for a W3C traceparent. The caller must not change trace afterwards.
func ContextWithTrace(ctx context.Context, trace []byte) context.Context {
	return context.WithValue(ctx, traceKey{}, trace)
}

// TraceFrom returns the bytes that [ContextWithTrace] put into ctx, or nil. The
// caller must not change them.
func TraceFrom(ctx context.Context) []byte {
	if ctx == context.Background() {
		return nil
	}
	trace, _ := ctx.Value(traceKey{}).([]byte)
	return trace
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

// messageContext returns the context of the message in hand.
func (p *process) messageContext() context.Context {
	ctx := p.lifeContext()
	a := p.annex.Load()
	trace, deadline := a.trace, a.deadline
	if p.current.word&refKept == 0 && p.current.waiting() {
		trace, deadline = p.current.c.trace, p.current.c.dueBy()
	}
	if !deadline.IsZero() {
		// The context may outlive the handler: a From can be answered later.
		// It ends with its deadline or with the process.
		limited, cancel := context.WithDeadline(ctx, deadline)
		ctx, _ = limited, cancel
	}
	if trace != nil {
		ctx = ContextWithTrace(ctx, trace)
	}
	return ctx
}
