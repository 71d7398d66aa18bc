package actor_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
)

// tally counts what it gets.
type tally struct{ n atomic.Int64 }

func (c *tally) Receive(*actor.Self, any) error { c.n.Add(1); return nil }

func TestInflowLetsAProcessRunWhenItIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, far := onRoad(t, new(road))
		in := sys.Inflow()
		var a, b tally
		first, second := spawn(t, sys, &a), spawn(t, sys, &b)
		expect := func(when string, wantA, wantB int64) {
			t.Helper()
			synctest.Wait()
			if a.n.Load() != wantA || b.n.Load() != wantB {
				t.Errorf("%s: %d and %d, want %d and %d", when, a.n.Load(), b.n.Load(), wantA, wantB)
			}
		}
		in.Deliver(far, first, 1, 0)
		expect("not flushed", 0, 0)
		in.Flush()
		expect("flushed", 1, 0)
		in.Deliver(far, first, 1, 0)
		in.Deliver(far, second, 1, 0)
		expect("another one got mail", 2, 0)
		in.Flush()
		expect("flushed again", 2, 1)
		for range 64 {
			in.Deliver(far, first, 1, 0)
		}
		expect("many messages", 66, 1)
		// Whoever else sends it something wakes it too.
		in.Deliver(far, second, 1, 0)
		if err := sys.Send(second, 1); err != nil {
			t.Error(err)
		}
		expect("woken by another", 66, 3)
		in.Flush()
		in.Flush()
		expect("nothing left", 66, 3)
	})
}

func TestInflowToAProcessThatEndsMakesDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, far := onRoad(t, new(road))
		in := sys.Inflow()
		pid := spawn(t, sys, &tally{})
		in.Deliver(far, pid, 1, 0)
		if err := sys.Kill(pid); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		in.Deliver(far, pid, 2, 0)
		in.Flush()
		synctest.Wait()
		if info := sys.Stats(); info.DeadLetters != 2 {
			t.Errorf("%d dead letters", info.DeadLetters)
		}
	})
}
