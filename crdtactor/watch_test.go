package crdtactor_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestWatcherThatIsSlowHoldsUpNobodyAndSeesTheLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Eager())
		w.counter(1, crdtactor.Eager())
		var calls, last atomic.Int64
		stop, err := crdtactor.Watch(t.Context(), w.sys(1), visits, func(c *crdt.PNCounter) {
			calls.Add(1)
			last.Store(c.Value())
			time.Sleep(time.Second)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		began := time.Now()
		for range 100 {
			w.mustAdd(0, 1, crdtactor.Copies(2)) // of which the other is the one that is watched
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the updates took %v", took)
		}
		time.Sleep(10 * time.Second)
		if n := calls.Load(); last.Load() != 100 || n < 2 || n > 5 {
			t.Errorf("the watcher was called %d times and saw %d in the end", n, last.Load())
		}
	})
}

func TestStoppedWatcherHearsNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.counter(0, crdtactor.Eager())
		processes := w.sys(0).Stats().Processes
		var calls atomic.Int64
		stop, err := crdtactor.Watch(t.Context(), w.sys(0), visits, func(*crdt.PNCounter) { calls.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		w.mustAdd(0, 1)
		synctest.Wait()
		stop()
		stop()
		synctest.Wait()
		before := calls.Load()
		w.mustAdd(0, 1)
		synctest.Wait()
		if before == 0 || calls.Load() != before {
			t.Errorf("called %d times before and %d times after it was stopped", before, calls.Load())
		}
		if n := w.sys(0).Stats().Processes; n != processes {
			t.Errorf("%d processes are left, there were %d", n, processes)
		}
	})
}

func TestWatcherThatPanicsEndsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		pid := w.counter(0, crdtactor.Eager())
		var calls atomic.Int64
		for range 2 {
			if _, err := crdtactor.Watch(t.Context(), w.sys(0), visits, func(c *crdt.PNCounter) {
				if calls.Add(1) == 1 {
					panic("once")
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		before := calls.Load()
		w.mustAdd(0, 1)
		synctest.Wait()
		if !w.sys(0).Alive(pid) || calls.Load() != before+1 {
			t.Errorf("alive: %v; %d calls after one watcher has panicked", w.sys(0).Alive(pid), calls.Load()-before)
		}
		w.sys(0).Kill(pid)
		time.Sleep(time.Second)
		if n := w.sys(0).Stats().Processes; n != 0 {
			t.Errorf("%d processes outlive their replica", n)
		}
	})
}

func TestNotifiedProcessIsToldOnceUntilItHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type see struct{}
		w := newWorld(t, 2)
		w.counter(0, crdtactor.Eager())
		var told atomic.Int64
		var last crdtactor.Changed
		pid, err := w.sys(0).Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
			switch m := msg.(type) {
			case crdtactor.Changed:
				told.Add(1)
				last = m
			case see:
				last.Seen(self)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		stop, err := crdtactor.Notify(t.Context(), w.sys(0), visits, pid)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(want int64, when string) {
			t.Helper()
			synctest.Wait()
			if told.Load() != want {
				t.Errorf("told %d times %s, want %d", told.Load(), when, want)
			}
		}
		for range 10 {
			w.mustAdd(0, 1)
		}
		expect(1, "of ten changes without having seen the first")
		w.sys(0).Send(pid, see{})
		expect(2, "having seen the first")
		w.sys(0).Send(pid, see{})
		expect(2, "when nothing has changed since")
		w.mustAdd(0, 1)
		expect(3, "of one more")
		stop()
		w.sys(0).Send(pid, see{})
		w.mustAdd(0, 1)
		expect(3, "after it was stopped")
		elsewhere, err := w.sys(1).Spawn(t.Context(), actor.Func(func(*actor.Self, any) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range []actor.PID{elsewhere, {}} {
			if _, err := crdtactor.Notify(t.Context(), w.sys(0), visits, pid); !errors.Is(err, crdtactor.ErrNotLocal) {
				t.Errorf("Notify of %v = %v", pid, err)
			}
		}
	})
}
