package mesh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/hash"
	"github.com/topos-go/topos/remote"
)

// Option says how one call is made.
type Option func(*terms)

// terms are a call's own.
type terms struct {
	idempotent bool
	keyed      bool
	hash       uint64
	fallback   func(ctx context.Context, req any, err error) (any, error)
	via        []actor.SendOption
}

// with returns t with opts besides.
func (t terms) with(opts []Option) terms {
	if len(opts) == 0 {
		return t
	}
	own := new(terms) // which alone is on the heap, and only if there are any
	*own = t
	for _, opt := range opts {
		opt(own)
	}
	return *own
}

// Idempotent says that it does no harm if a request runs at two instances. Only
// then is a request that may have run tried again; one that certainly has not is
// in any case.
func Idempotent() Option { return func(t *terms) { t.idempotent = true } }

// Key is what [ConsistentHash] goes by.
func Key(key string) Option {
	h := hash.Of(key)
	return func(t *terms) { t.keyed, t.hash = true, h }
}

// Fallback answers a call that no instance has answered, err saying why: there
// is none, its circuit is open, or it has failed. It is not asked about errors
// that an instance answered with, nor when the caller has given up. Its answer
// must be of the type that the call is for.
func Fallback(f func(ctx context.Context, req any, err error) (any, error)) Option {
	return func(t *terms) { t.fallback = f }
}

// Via says how the request travels to another node.
func Via(opts ...actor.SendOption) Option {
	return func(t *terms) { t.via = opts }
}

// Failure says whether an error of a call is a failure of the instance that was
// asked, as opposed to what it has to say: it did not answer in time, has ended,
// cannot be reached, has no room, crashed, or says so by [Failed].
func Failure(err error) bool {
	if isOne(err, context.DeadlineExceeded, actor.ErrNoConnection, actor.ErrNoProc, actor.ErrKilled, actor.ErrZombie,
		actor.ErrNoReply, actor.ErrMailboxFull, remote.ErrQueueFull, remote.ErrNotMember, ErrInstanceFailed) {
		return true
	}
	_, crashed := errors.AsType[*actor.PanicError](err)
	return crashed
}

// unrun says whether a request has certainly not run, or at least had no effect.
func unrun(err error) bool {
	return actor.Unhandled(err) || errors.Is(err, ErrInstanceFailed)
}

func isOne(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Call sends req to an instance of s and waits for its answer, which must be an
// R. It chooses among those that are well and whose circuits let it pass, and
// tries others where that is safe: see [Idempotent] and Config.Tries. An instance
// that calls its own service reaches another one.
//
// It fails with an [*Error] that wraps ErrServiceNotFound, ErrNoHealthyInstances,
// ErrCircuitOpen, ErrServiceTimeout, or what the instance answered. from is who
// calls, as with actor.Call; it must belong to Config.System.
func Call[R any](ctx context.Context, s *Service, from actor.Caller, req any, opts ...Option) (R, error) {
	var r R
	c := call{service: s, terms: s.terms.with(opts)}
	defer c.abandon()
	if self, ok := from.(*actor.Self); ok {
		c.self = self.PID()
	}
	ctx = c.traced(ctx)
	for c.next(ctx) {
		try, cancel := c.limited(ctx)
		answer, err := actor.Call[R](try, from, c.in.pid, req, c.via...)
		if cancel != nil {
			cancel()
		}
		if r = answer; !c.ended(ctx, from, err) {
			break
		}
	}
	err := c.close(ctx)
	if err != nil && c.fallback != nil && c.mayFallBack(ctx) {
		var value any
		if value, err = c.fallback(ctx, req, err); err == nil {
			var ok bool
			if r, ok = value.(R); !ok && value != nil {
				err = &Error{Service: s.name, Err: fmt.Errorf("%w: the fallback's is a %T", actor.ErrReplyType, value)}
			}
		}
	}
	c.endSpan(err)
	return r, err
}

// call is a Call that is under way.
type call struct {
	terms
	service *Service
	span    trace.Span
	self    actor.PID     // that calls; zero if it is no process
	now     time.Duration // when the try began

	whole      pass // of the service's breaker
	breaker    *breaker
	in         *instance
	part       pass // of the instance's
	asking     bool // in has been asked, and what came of it is not noted yet
	tries      int
	asked      tried
	pauses     backoff.BackOff
	err        error // of the last try, or why there is none
	failed     bool  // err is a failure of an instance
	own        bool  // err is what an instance answered
	unanswered bool  // nothing was tried: it says nothing of the service
}

// next chooses an instance and lets the call begin there. It reports false, with
// c.err saying why, if there is none.
func (c *call) next(ctx context.Context) bool {
	s := c.service
	if c.tries > 1 && !c.pause(ctx) {
		return false
	}
	c.now = s.mesh.now()
	snapshot := s.snapshot.Load()
	if c.breaker == nil {
		if s.mesh.closed.Load() || s.closed.Load() {
			c.err, c.unanswered = ErrClosed, true
			return false
		}
		whole, ok := snapshot.circuit().admit(c.now)
		if !ok {
			c.err = ErrCircuitOpen
			return false
		}
		c.whole, c.breaker = whole, snapshot.circuit()
	}
	for range maxTried {
		in, err := s.choose(snapshot, &c.terms, &c.asked, c.now)
		if err != nil && c.asked.n > 0 && c.tries > 0 && len(snapshot.ready) > 0 {
			c.asked.n = 0 // all have been asked: once more round
			in, err = s.choose(snapshot, &c.terms, &c.asked, c.now)
		}
		if err != nil {
			if c.err == nil {
				c.err, c.unanswered = err, true
				if c.asked.n == 1 && c.asked.list[0].pid == c.self {
					c.err = actor.ErrCallSelf
				}
			}
			return false
		}
		c.asked.add(in)
		if in.pid == c.self {
			continue // it would wait for itself
		}
		if part, ok := in.breaker.admit(c.now); ok {
			c.in, c.part = in, part
			c.tries++
			c.asking = true
			in.inflight.Add(1)
			s.chooser.inflight.Add(1)
			return true
		}
	}
	if c.err == nil {
		c.err, c.unanswered = ErrCircuitOpen, true
	}
	return false
}

// limited returns the context of one try.
func (c *call) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if limit := c.service.mesh.cfg.TryTimeout; limit > 0 {
		return context.WithTimeout(ctx, limit)
	}
	return ctx, nil
}

// ended notes how a try has ended, and reports whether to try again.
func (c *call) ended(ctx context.Context, from actor.Caller, err error) (again bool) {
	m, in := c.service.mesh, c.in
	now := m.now()
	outcome := error(nil)
	c.failed, c.own = false, false
	if err != nil {
		c.failed = m.cfg.Failure(err)
		switch {
		case errors.Is(err, context.Canceled) || interrupted(m, from):
			outcome, c.failed = errIgnored, false
		case c.failed:
			outcome = errCounted
		}
	}
	in.end(c.now, now, err == nil || !c.failed, c.failed)
	c.leave(outcome)
	if c.err = err; err == nil {
		return false
	}
	c.own = outcome == nil
	return c.failed && ctx.Err() == nil && c.tries < m.cfg.Tries && (c.idempotent || unrun(err))
}

// leave tells the breaker and the chooser that a try has ended.
func (c *call) leave(outcome error) {
	c.asking = false
	c.service.chooser.inflight.Add(-1)
	c.in.breaker.ended(c.part, outcome)
}

// abandon gives back what a call still has when something of the user's has
// panicked: Config.Failure, a fallback.
func (c *call) abandon() {
	if c.asking {
		c.in.inflight.Add(-1)
		c.leave(errIgnored)
	}
	if c.breaker != nil {
		c.breaker.ended(c.whole, errIgnored)
	}
	if c.span != nil {
		c.span.End()
	}
}

// interrupted says whether the process that calls must not wait any more: then
// the error says nothing of the instance.
func interrupted(m *Mesh, from actor.Caller) bool {
	self, ok := from.(*actor.Self)
	return ok && m.cfg.System.ProcessContext(self.PID()).Err() != nil
}

// close ends the call and returns its error.
func (c *call) close(ctx context.Context) error {
	if c.breaker != nil {
		outcome := error(nil)
		switch {
		case c.failed:
			outcome = errCounted
		case c.unanswered, c.err != nil && !c.own:
			outcome = errIgnored
		}
		c.breaker.ended(c.whole, outcome)
		c.breaker = nil
	}
	if c.err == nil {
		return nil
	}
	err := c.err
	if c.failed && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", ErrServiceTimeout, err)
	} else if errors.Is(err, ErrInstanceFailed) {
		err = passedOn{err}
	}
	e := &Error{Service: c.service.name, Tries: c.tries, Err: err}
	if c.in != nil {
		e.Instance = c.in.pid
	}
	return e
}

// mayFallBack says whether the fallback is to answer.
func (c *call) mayFallBack(ctx context.Context) bool {
	return !c.own && !errors.Is(ctx.Err(), context.Canceled)
}

// pause waits before a third try, and the next.
func (c *call) pause(ctx context.Context) bool {
	if c.pauses == nil {
		c.pauses = c.service.mesh.pauses()
	}
	timer := time.NewTimer(c.pauses.NextBackOff())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
