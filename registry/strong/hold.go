package strong

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Hold waits until this node owns name and then keeps it, by renewing its lease,
// until it is released or lost: a leader's election, by whatever a name stands
// for. The error is ctx's cause, or what Acquire has to say but for
// [*HeldError]. ctx only bounds the wait.
func (r *Registry) Hold(ctx context.Context, name string) (*Hold, error) {
	for {
		freed, cancel := r.client.await(name)
		from := r.cfg.clock.now()
		token, err := r.Acquire(ctx, name)
		if err == nil {
			cancel()
			return r.hold(name, token, from)
		}
		if !errors.Is(err, ErrHeld) {
			cancel()
			return nil, err
		}
		// Who holds it may have gone without a word, and so may the news.
		timer := time.NewTimer(r.cfg.TTL/4 + rand.N(r.cfg.TTL/4))
		select {
		case <-freed:
		case <-timer.C:
		case <-ctx.Done():
		case <-r.ctx.Done():
		}
		timer.Stop()
		cancel()
	}
}

// Hold is the ownership of a name. It is safe for concurrent use.
type Hold struct {
	r     *Registry
	name  string
	token Token
	ctx   context.Context // ends with the ownership
	end   context.CancelFunc
	ended chan struct{} // closed when nothing is renewed any more

	mu    sync.Mutex
	until time.Time // by the registry's clock
}

// hold begins to keep what was acquired by a call at from.
func (r *Registry) hold(name string, token Token, from time.Time) (*Hold, error) {
	h := &Hold{
		r: r, name: name, token: token,
		ended: make(chan struct{}),
		until: from.Add(r.TTL()),
	}
	h.ctx, h.end = context.WithCancel(r.ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != stateRunning {
		h.end()
		return nil, ErrClosed
	}
	r.work.Go(h.keep)
	return h, nil
}

// Name is what is owned.
func (h *Hold) Name() string { return h.name }

// Token is what to show to whoever guards what the name stands for.
func (h *Hold) Token() Token { return h.token }

// Done is closed when this node has stopped to own the name, or will in a
// moment: it was released, the lease could not be renewed in time, or the
// registry was closed. Who acts for the name must stop then; what has not
// stopped, or is on its way, is what the token is for.
func (h *Hold) Done() <-chan struct{} { return h.ctx.Done() }

// Valid reports whether this node owns the name, by its own clock. The answer
// may be out of date by the time the caller has it.
func (h *Hold) Valid() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ctx.Err() == nil && h.r.cfg.clock.now().Before(h.until)
}

// Release gives the name up, first here and then for everybody. It may be called
// again.
func (h *Hold) Release(ctx context.Context) error {
	h.end()
	select {
	case <-h.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := h.r.Release(ctx, h.name, h.token); err != nil && !errors.Is(err, ErrLost) {
		return err
	}
	return nil
}

// keep renews the lease until it ends.
func (h *Hold) keep() {
	defer close(h.ended)
	defer h.end()
	clock := h.r.cfg.clock
	for {
		h.mu.Lock()
		until := h.until
		h.mu.Unlock()
		if !clock.now().Before(until) {
			return
		}
		// Thrice in its time, so that one renewal may be late.
		timer := time.NewTimer(min(clock.until(until), max(clock.until(until)-2*h.r.TTL()/3, time.Millisecond)))
		select {
		case <-timer.C:
		case <-h.ctx.Done():
		}
		timer.Stop()
		if !h.renew(until) {
			return
		}
	}
}

// renew tries once, for as long as the lease lasts, and reports whether to go
// on.
func (h *Hold) renew(until time.Time) bool {
	ctx, cancel := context.WithTimeout(h.ctx, h.r.cfg.clock.until(until))
	defer cancel()
	from := h.r.cfg.clock.now()
	if ctx.Err() != nil || h.r.Renew(ctx, h.name, h.token) != nil {
		return false // lost, closed, or too late
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = from.Add(h.r.TTL())
	return true
}
