package mesh

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
)

var trio = Breaker{FailureThreshold: 3, ResetTimeout: 10 * time.Second, HalfOpenSuccesses: 2}

// guarded is a breaker in a bubble, with what it announced.
type guarded struct {
	*breaker
	states []State
}

func guard(cfg Breaker) *guarded {
	epoch, g := time.Now(), new(guarded)
	g.breaker = newBreaker(cfg, func() time.Duration { return time.Since(epoch) }, func(s State) { g.states = append(g.states, s) })
	return g
}

// try makes one call that ends as outcome says, if it is let pass.
func (g *guarded) try(outcome error) bool {
	p, ok := g.admit(g.clock())
	if ok {
		g.ended(p, outcome)
	}
	return ok
}

func TestBreakerGoesThroughItsThreeStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(trio)
		for _, outcome := range []error{errCounted, errCounted, nil, errCounted, errIgnored, errCounted} {
			if !g.try(outcome) || g.state() != Closed {
				t.Fatal("two failures in a row opened it")
			}
		}
		g.try(errCounted)
		if g.state() != Open || g.try(nil) {
			t.Fatal("three failures in a row did not open it")
		}
		time.Sleep(trio.ResetTimeout)
		if g.try(nil) {
			t.Fatal("it let a call pass before the reset timeout was over")
		}
		time.Sleep(time.Millisecond)
		if !g.try(errCounted) || g.state() != Open || g.try(nil) {
			t.Fatal("a failure when half-open did not open it again")
		}
		time.Sleep(trio.ResetTimeout + time.Millisecond)
		var passes []pass
		for range 5 {
			if p, ok := g.admit(g.clock()); ok {
				passes = append(passes, p)
			}
		}
		if len(passes) != 2 || g.state() != HalfOpen {
			t.Fatalf("half-open, it let %d calls pass", len(passes))
		}
		for _, p := range passes {
			g.ended(p, nil)
		}
		if g.state() != Closed || !g.try(nil) {
			t.Fatal("two successes did not close it")
		}
		if want := []State{Open, HalfOpen, Open, HalfOpen, Closed}; !slices.Equal(g.states, want) {
			t.Fatalf("it announced %v, want %v", g.states, want)
		}
	})
}

func TestLateOutcomeOfAnotherTimeCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(trio)
		late, _ := g.admit(g.clock())
		for range 3 {
			g.try(errCounted)
		}
		time.Sleep(trio.ResetTimeout + time.Millisecond)
		if !g.try(nil) || g.state() != HalfOpen {
			t.Fatal("it is not half-open")
		}
		g.ended(late, errCounted)
		if g.state() != HalfOpen {
			t.Error("a call from before it opened opened it again")
		}
		if !g.try(nil) || g.state() != Closed {
			t.Error("it did not close")
		}
	})
}

// TestBreakerAgreesWithGobreaker holds the shortcut against gobreaker's own
// bookkeeping, which is told everything.
func TestBreakerAgreesWithGobreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(trio)
		model := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			MaxRequests: 2, Timeout: trio.ResetTimeout,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 3 },
			IsExcluded:  func(err error) bool { return err == errIgnored },
		})
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 20_000 {
			var outcome error
			switch x := random.IntN(10); {
			case x < 4:
				outcome = errCounted
			case x < 5:
				outcome = errIgnored
			}
			done, err := model.Allow()
			if err == nil {
				done(outcome)
			}
			if ok := g.try(outcome); ok != (err == nil) {
				t.Fatalf("call %d: let pass %v, want %v", i, ok, err == nil)
			}
			if random.IntN(20) == 0 {
				time.Sleep(time.Duration(random.IntN(8)) * time.Second)
			}
		}
	})
}

func TestBreakerIsSafeForConcurrentUse(t *testing.T) {
	g := newBreaker(Breaker{FailureThreshold: 5, ResetTimeout: time.Microsecond, HalfOpenSuccesses: 1},
		func() time.Duration { return time.Duration(time.Now().UnixNano()) }, func(State) {})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 5000 {
				if p, ok := g.admit(g.clock()); ok {
					outcome := errCounted
					if random.IntN(3) == 0 {
						outcome = nil
					}
					g.ended(p, outcome)
				}
			}
		})
	}
	wg.Wait()
	for range 5 { // whatever it went through, it can be closed
		if p, ok := g.admit(g.clock() + time.Hour); ok {
			g.ended(p, nil)
		}
	}
	if g.state() != Closed {
		t.Errorf("it stays %v", g.state())
	}
}
