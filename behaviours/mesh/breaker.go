package mesh

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// State is what a circuit breaker is in.
type State uint8

const (
	// Closed lets calls pass.
	Closed State = iota
	// Open lets none pass.
	Open
	// HalfOpen lets a few pass, to see.
	HalfOpen
)

// String returns "closed", "open" or "half-open".
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return "closed"
}

// breaker is a circuit breaker whose common case takes no lock. gobreaker, which
// has one, decides; it is asked only when something has gone wrong: while the
// circuit is closed it needs to hear of failures, and of a success only when
// that ends a run of failures.
type breaker struct {
	circuit *gobreaker.TwoStepCircuitBreaker[struct{}] // nil: always closed
	reset   time.Duration

	now      atomic.Uint64 // generation<<2 | State
	reopens  atomic.Int64  // when open: from when on it may be half-open, in nanoseconds of the mesh's clock
	failures atomic.Int64  // in a row, about
	clock    func() time.Duration
	told     atomic.Uint64 // the last value of now that was announced
	announce func(State)
}

// errIgnored is an outcome that says nothing of the instance.
var errIgnored = errors.New("mesh: ignored")

// errCounted is an outcome that is a failure.
var errCounted = errors.New("mesh: counted")

func newBreaker(cfg Breaker, clock func() time.Duration, announce func(State)) *breaker {
	b := &breaker{reset: cfg.ResetTimeout, clock: clock, announce: announce}
	if cfg.Off {
		return b
	}
	threshold := uint32(cfg.FailureThreshold)
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   uint32(cfg.HalfOpenSuccesses),
		Timeout:       cfg.ResetTimeout,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= threshold },
		IsExcluded:    func(err error) bool { return err == errIgnored },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.changed(to) },
	})
	return b
}

// changed is called with gobreaker's lock.
func (b *breaker) changed(to gobreaker.State) {
	state := Closed
	switch to {
	case gobreaker.StateOpen:
		state = Open
		b.reopens.Store(int64(b.clock() + b.reset))
	case gobreaker.StateHalfOpen:
		state = HalfOpen
	}
	b.failures.Store(0)
	b.now.Store((b.now.Load()>>2+1)<<2 | uint64(state))
}

// state returns what the circuit is in, as far as is known without asking.
func (b *breaker) state() State { return State(b.now.Load() & 3) }

// lets reports whether a call has a chance to pass at that time.
func (b *breaker) lets(now time.Duration) bool {
	return b.state() != Open || now > time.Duration(b.reopens.Load())
}

// pass is a call that a breaker has let pass.
type pass struct {
	seen uint64
	done func(error) // if gobreaker was asked
}

// admit lets a call pass, or not.
func (b *breaker) admit(now time.Duration) (pass, bool) {
	seen := b.now.Load()
	if State(seen&3) == Closed {
		return pass{seen: seen}, true
	}
	if !b.lets(now) {
		return pass{}, false
	}
	done, err := b.circuit.Allow()
	b.tell()
	return pass{b.now.Load(), done}, err == nil
}

// ended notes how a call that was let pass has ended: nil, errCounted or
// errIgnored.
func (b *breaker) ended(p pass, err error) {
	switch {
	case b.circuit == nil:
		return
	case p.done != nil:
		p.done(err)
	case err == errIgnored, b.now.Load() != p.seen:
		return // of another time
	case err == nil:
		run := b.failures.Load()
		if run == 0 {
			return
		}
		b.report(nil)
		b.failures.CompareAndSwap(run, 0)
	default:
		b.failures.Add(1)
		b.report(err)
	}
	b.tell()
}

// report tells gobreaker of an outcome of a closed circuit.
func (b *breaker) report(err error) {
	if done, refused := b.circuit.Allow(); refused == nil {
		done(err)
	}
}

// tell announces a new state, outside of gobreaker's lock.
func (b *breaker) tell() {
	now := b.now.Load()
	if told := b.told.Load(); told != now && b.told.CompareAndSwap(told, now) && b.announce != nil {
		b.announce(State(now & 3))
	}
}
