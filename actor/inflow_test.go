package actor_test

import (
	"slices"
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
		for range 256 {
			in.Deliver(far, first, 1, 0)
		}
		expect("many messages", 258, 1)
		// Whoever else sends it something wakes it too.
		in.Deliver(far, second, 1, 0)
		if err := sys.Send(second, 1); err != nil {
			t.Error(err)
		}
		expect("woken by another", 258, 3)
		in.Flush()
		in.Flush()
		expect("nothing left", 258, 3)
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

// Whatever the mailbox, several messages at once are as many one after the other.
func TestInflowDeliversSeveralMessagesInTheirOrder(t *testing.T) {
	for name, opts := range map[string][]actor.SpawnOption{
		"unbounded":   nil,
		"blocking":    {actor.Mailbox{Capacity: 10, Overflow: actor.OverflowBlock}},
		"drop oldest": {actor.Mailbox{Capacity: 100, Overflow: actor.OverflowDropOldest}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys, far := onRoad(t, new(road))
				in := sys.Inflow()
				var got []any
				pid := spawn(t, sys, actor.Func(func(_ *actor.Self, msg any) error { got = append(got, msg); return nil }), opts...)
				if in.DeliverAll(far, pid, []any{1, 2, 3}, 30) || in.Deliver(far, pid, 4, 10) || in.DeliverAll(far, pid, []any{5, 6}, 20) ||
					in.DeliverAll(far, pid, nil, 0) {
					t.Error("it is said to have too much mail")
				}
				in.Flush()
				synctest.Wait()
				if !slices.Equal(got, []any{1, 2, 3, 4, 5, 6}) {
					t.Errorf("got %v", got)
				}
				if err := sys.Kill(pid); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				in.DeliverAll(far, pid, []any{7, 8}, 20)
				in.Flush()
				synctest.Wait()
				if lost := sys.Stats().DeadLetters; lost != 2 {
					t.Errorf("%d dead letters", lost)
				}
			})
		})
	}
}

func TestInflowSaysWhenSeveralMessagesAreTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, far := onRoad(t, new(road))
		in := sys.Inflow()
		release := make(chan struct{})
		pid := spawn(t, sys, actor.Func(func(*actor.Self, any) error { <-release; return nil }))
		over := false
		for n := 0; !over; n++ {
			if over = in.DeliverAll(far, pid, []any{1, 2, 3, 4}, 4<<20); n > actor.DefaultBudget>>22 {
				t.Fatal("it may have any amount of mail")
			}
		}
		close(release)
	})
}
