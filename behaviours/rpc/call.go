package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
)

// Option says how one [Call] is made.
type Option func(*terms)

// terms are a call's own.
type terms struct {
	idempotent bool
	fallback   []actor.Address
	key        string
	issued     time.Time
}

// Idempotent says that it does no harm if the request runs more than once, each
// time on another server. Only then is a request that may have run sent to
// another server, or to two at once.
func Idempotent() Option { return func(t *terms) { t.idempotent = true } }

// Fallback names other servers of the same service, to be asked in that order
// before those that Config.Alternative finds.
func Fallback(servers ...actor.Address) Option {
	return func(t *terms) { t.fallback = append(t.fallback, servers...) }
}

// Key names the request: calls with the same key at one server are one request,
// whoever makes them and whenever, and all get its answer, which on the server's
// node they share. issued is when the
// key was made, and must be the same with each use. A server that can no longer
// say whether it has run the request, because keys that were issued later
// have fallen out of its [Window], answers ErrForgotten.
func Key(key string, issued time.Time) Option {
	return func(t *terms) { t.key, t.issued = key, issued }
}

// Call asks the server at to, which must be a process made by [NewServer], and
// waits for its answer, which must be an R. As long as ctx allows, it tries
// again what may help; see [Judge]. At one server the request runs at most once
// until that ends, however many tries reach it, and at another one only if it
// certainly has not run at the first or is [Idempotent].
//
// It fails with an [*Error]. When ctx ends first, the server is told, which
// ends the handler's context, and the Error wraps ctx's error. from is who
// calls, as with actor.Call; it must belong to Config.System.
func Call[R any](ctx context.Context, c *Client, from actor.Caller, to actor.Address, req any, opts ...Option) (R, error) {
	value, err := c.call(ctx, from, to, req, opts, func(ctx context.Context, from actor.Caller, to actor.PID, r Request) (any, error) {
		return actor.Call[R](ctx, from, to, r, c.via...)
	})
	r, _ := value.(R)
	return r, err
}

// send makes one try and returns an R of its Call.
type send func(ctx context.Context, from actor.Caller, to actor.PID, r Request) (any, error)

// call is a Call that is under way.
type call struct {
	*Client
	terms
	from     actor.Caller
	to       actor.Address // the one asked now
	first    actor.Address
	tried    []actor.Address
	body     any
	encoded  atomic.Pointer[codec.Value] // of body, if it was needed
	deadline time.Time
	send     send
	course   course
	slots    []*slot
}

// slot is the request's place at one server.
type slot struct {
	to       actor.Address
	channel  *channel
	seq      uint64
	sent     bool
	answered bool
}

func (c *Client) call(ctx context.Context, from actor.Caller, to actor.Address, body any, opts []Option, send send) (any, error) {
	if body == nil {
		return nil, &Error{To: to, Err: actor.ErrNilMessage}
	}
	k := &call{Client: c, from: from, to: to, first: to, tried: []actor.Address{to}, body: body, send: send}
	for _, opt := range opts {
		opt(&k.terms)
	}
	k.course = course{tries: c.cfg.Tries, servers: c.cfg.Servers, idempotent: k.idempotent}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	k.deadline, _ = ctx.Deadline()
	value, err := k.run(ctx)
	k.end()
	if err != nil {
		return nil, &Error{To: k.to, Tries: k.course.total, Unknown: k.course.unknown, Err: err}
	}
	return value, nil
}

// run makes tries until one is answered or none can be made any more.
func (k *call) run(ctx context.Context) (any, error) {
	pauses := k.cfg.Backoff.pauses()
	for {
		value, err := k.try(ctx)
		if err == nil {
			return value, nil
		}
		v := k.verdict(err)
		if errors.Is(err, ErrServer) && v == Final {
			k.course.answered()
			return nil, err
		}
		if errors.Is(err, ErrForgotten) {
			k.course.unknown = true
		}
		if ended := k.ended(ctx); ended != nil {
			k.course.failed(v, options{})
			return nil, after(ended, err)
		}
		next, other := k.alternative()
		_, pid := k.to.(actor.PID)
		step := k.course.failed(v, options{other: other, named: !pid, back: errors.Is(err, actor.ErrNoConnection)})
		switch step {
		case giveUp:
			return nil, err
		case move:
			k.to, k.tried = next, append(k.tried, next)
			pauses.Reset()
			continue
		case rebound:
			k.leave(k.to)
		}
		if ended := k.pause(ctx, pauses.NextBackOff()); ended != nil {
			return nil, after(ended, err)
		}
	}
}

// after is ended, with the error of the last try if it says more.
func after(ended, err error) error {
	if errors.Is(err, ended) {
		return err
	}
	return fmt.Errorf("%w, after: %w", ended, err)
}

// verdict is what an error of a try means: it cannot have run if it was not sent.
func (k *call) verdict(err error) Verdict {
	v := k.judge(err)
	if _, ok := errors.AsType[*unsent](err); ok {
		switch v {
		case Again:
			return AgainUnrun
		case Elsewhere:
			return ElsewhereUnrun
		}
	}
	return v
}

// ended says why the call must not go on, whatever the error of its last try.
func (k *call) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return actor.ContextError(ctx)
	}
	if self, ok := k.from.(*actor.Self); ok {
		return context.Cause(k.cfg.System.ProcessContext(self.PID()))
	}
	return nil
}

// alternative returns a server that has not been tried.
func (k *call) alternative() (actor.Address, bool) {
	for _, to := range k.fallback {
		if !slices.Contains(k.tried, to) {
			return to, true
		}
	}
	if k.cfg.Alternative == nil {
		return nil, false
	}
	to, ok := k.cfg.Alternative(k.first, k.tried)
	return to, ok && to != nil && !slices.Contains(k.tried, to)
}

// try makes one try at k.to, and, if that takes long and it may, one at another
// server beside it.
func (k *call) try(ctx context.Context) (any, error) {
	if k.cfg.HedgeAfter > 0 && k.idempotent && k.course.total == 0 {
		if other, ok := k.alternative(); ok && k.course.servers > 1 {
			return k.hedged(ctx, other)
		}
	}
	k.course.began()
	return k.ask(ctx, k.from, k.slot(k.to), k.course.total, false)
}

// slot returns the request's place at the server at to.
func (k *call) slot(to actor.Address) *slot {
	for _, s := range k.slots {
		if s.to == to {
			return s
		}
	}
	s := &slot{to: to}
	k.slots = append(k.slots, s)
	return s
}

// leave ends the request's place at the server at to.
func (k *call) leave(to actor.Address) {
	for i, s := range k.slots {
		if s.to == to {
			k.close(s)
			k.slots = slices.Delete(k.slots, i, i+1)
			return
		}
	}
}

// end ends the request at all servers that were asked.
func (k *call) end() {
	for _, s := range k.slots {
		k.close(s)
	}
}

// close ends the request at one server: nobody asks for it any more.
func (k *call) close(s *slot) {
	if s.channel == nil {
		return
	}
	if s.sent && !s.answered {
		// If it is lost, the deadline ends the handler's context.
		_ = k.cfg.System.Send(s.channel.server, Cancel{s.channel.session, s.seq}, k.via...)
	}
	s.channel.end(s.seq)
}

// pause waits, and says why if the call must not go on.
func (k *call) pause(ctx context.Context, d time.Duration) error {
	if time.Until(k.deadline) <= d {
		return actor.ErrTimeout // why wait for it
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-k.cfg.callerEnds(k.from):
	}
	return k.ended(ctx)
}
