package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// ask makes one try at the server of s. Several goroutines may do so, each with
// a slot of its own.
func (k *call) ask(ctx context.Context, from actor.Caller, s *slot, number int, hedge bool) (any, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, k.cfg.TryTimeout)
	defer cancel()
	value, err := k.request(ctx, from, s)
	if k.cfg.Observe != nil {
		try := Try{To: s.to, Number: number, Hedge: hedge, Took: time.Since(began), Err: err, Verdict: Final}
		if err != nil {
			try.Verdict = k.verdict(err)
		}
		k.cfg.Observe(try)
	}
	return value, err
}

func (k *call) request(ctx context.Context, from actor.Caller, s *slot) (any, error) {
	for {
		fresh := s.channel == nil
		var kept bool
		if fresh {
			var err error
			if s.channel, kept, err = k.connect(ctx, from, s.to); err != nil {
				return nil, &unsent{err}
			}
			s.seq = s.channel.begin()
		}
		r, err := k.message(s)
		if err != nil {
			return nil, &unsent{err}
		}
		before := s.sent
		s.sent, s.answered = true, false
		value, err := k.send(ctx, from, s.channel.server, r)
		if err == nil {
			s.answered = true
			return value, nil
		}
		v := k.judge(err)
		s.answered = errors.Is(err, ErrServer) || isOne(err, ErrForgotten, ErrNoSession)
		if !v.ran() && v != Final {
			s.sent = before
		}
		if stale(err, v) {
			k.forget(s.to, s.channel)
		}
		switch {
		case errors.Is(err, ErrNoSession) && before:
			return nil, fmt.Errorf("%w: %w", ErrForgotten, err)
		case errors.Is(err, ErrNoSession), errors.Is(err, actor.ErrNoProc) && !reasonOfItsEnd(err) && fresh && kept:
			// What was known of the server is out of date; it has not seen this
			// request.
			s.channel.end(s.seq)
			s.channel = nil
			continue
		}
		return nil, err
	}
}

// message is the request, as the server of s needs it.
func (k *call) message(s *slot) (Request, error) {
	r := Request{
		Session: s.channel.session, Seq: s.seq, Done: s.channel.over(),
		Key: k.key, Issued: k.issued, Budget: max(time.Until(k.deadline), 1),
	}
	if s.channel.server.NodeHandle() == k.cfg.System.NodeHandle() {
		r.body = k.body
		return r, nil
	}
	v := k.encoded.Load()
	if v == nil {
		encoded, err := k.codec.Encode(k.body)
		if err != nil {
			return r, err
		}
		v = &encoded
		k.encoded.Store(v)
	}
	r.Encoding, r.Type, r.Data = uint32(v.Encoding), v.Type, v.Data
	return r, nil
}

// unsent is an error of a try before the request was sent.
type unsent struct{ error }

func (e *unsent) Unwrap() error { return e.error }

// outcome is how one of two tries ended.
type outcome struct {
	value any
	err   error
	hedge bool
}

// hedged makes a try at k.to and, if it has no answer after HedgeAfter, one at
// other. The first answer counts. If both fail, it is as if only the first had
// been made.
func (k *call) hedged(ctx context.Context, other actor.Address) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	outcomes := make(chan outcome, 2)
	running := 0
	start := func(to actor.Address, hedge bool) {
		slot := k.slot(to)
		k.course.began()
		number := k.course.total
		running++
		go func() { // owned by this call, which waits for it below
			// A Self is for its own goroutine only.
			value, err := k.ask(ctx, k.cfg.System, slot, number, hedge)
			outcomes <- outcome{value, err, hedge}
		}()
	}
	defer func() {
		cancel()
		for ; running > 0; running-- {
			<-outcomes
		}
	}()
	start(k.to, false)
	timer := time.NewTimer(k.cfg.HedgeAfter)
	defer timer.Stop()
	ended := k.cfg.callerEnds(k.from)
	var failed error
	for {
		select {
		case <-timer.C:
			start(other, true)
			k.tried = append(k.tried, other)
			k.course.made-- // it counts at another server
			k.course.visited++
		case <-ended:
			return nil, context.Canceled
		case o := <-outcomes:
			running--
			if o.err == nil || errors.Is(o.err, ErrServer) && k.judge(o.err) == Final {
				return o.value, o.err
			}
			if failed == nil || !o.hedge {
				failed = o.err
			}
			if o.hedge {
				k.course.unknown = k.course.unknown || k.verdict(o.err).ran()
			}
			if running == 0 {
				return nil, failed
			}
		}
	}
}

// callerEnds is closed when the process that calls must not wait any more.
func (c *Config) callerEnds(from actor.Caller) <-chan struct{} {
	if self, ok := from.(*actor.Self); ok {
		return c.System.ProcessContext(self.PID()).Done()
	}
	return nil
}
