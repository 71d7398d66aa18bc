package pool_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/pool"
)

// members runs test with a pool of four workers, which answer with numbers from
// 1 to 4, after as many seconds, and fail with the one they are told. It runs in
// a bubble.
func members(t *testing.T, test func(f *fixture, c *crew)) {
	t.Helper()
	c := new(crew)
	bubble(t, pool.Config{Size: 4, Work: func(ctx context.Context, job any) (any, error) {
		var n int
		c.note(func() {
			c.started++
			n = (c.started-1)%4 + 1
		})
		select {
		case <-time.After(time.Duration(n) * time.Second):
		case <-ctx.Done():
			c.note(func() { c.given++ })
			return nil, ctx.Err()
		}
		switch {
		case job == n:
			return nil, errBoom
		case job == "crash":
			panic(errBoom)
		}
		return n, nil
	}}, func(f *fixture) { test(f, c) })
}

// values returns the replies there are, in the order of the workers' speed.
func values(replies []pool.Reply[int]) (good []int, bad []error) {
	for _, r := range replies {
		if r.Err != nil {
			bad = append(bad, r.Err)
		} else {
			good = append(good, r.Value)
		}
	}
	slices.Sort(good)
	return good, bad
}

func TestScatterGathersTheRepliesOfAllWorkers(t *testing.T) {
	members(t, func(f *fixture, _ *crew) {
		began := time.Now()
		replies, err := pool.Scatter[int](f.Context(), f.sys, f.pool, 2, 0)
		if err != nil || len(replies) != 4 || time.Since(began) != 4*time.Second {
			f.Fatalf("%v, %v after %v", replies, err, time.Since(began))
		}
		for slot, r := range replies {
			if r.Slot != slot {
				f.Errorf("reply %d is of slot %d", slot, r.Slot)
			}
		}
		good, bad := values(replies)
		if !slices.Equal(good, []int{1, 3, 4}) || len(bad) != 1 || !errors.Is(bad[0], errBoom) {
			f.Errorf("good %v, bad %v", good, bad)
		}
		// Those that take too long are given up.
		replies, err = pool.Scatter[int](f.Context(), f.sys, f.pool, "", 2500*time.Millisecond)
		good, bad = values(replies)
		if err != nil || !slices.Equal(good, []int{1, 2}) || len(bad) != 2 || !errors.Is(bad[0], context.DeadlineExceeded) {
			f.Errorf("good %v, bad %v, %v", good, bad, err)
		}
		texts, err := pool.Scatter[string](f.Context(), f.sys, f.pool, "", 0)
		if err != nil || len(texts) != 4 || !errors.Is(texts[0].Err, actor.ErrReplyType) {
			f.Errorf("replies of another type: %v, %v", texts, err)
		}
		replies, err = pool.Scatter[int](f.Context(), f.sys, f.pool, "crash", 0)
		good, bad = values(replies)
		if err != nil || len(good) != 0 || !errors.Is(bad[3], errBoom) {
			f.Errorf("workers that crash: good %v, bad %v, %v", good, bad, err)
		}
	})
}

func TestFirstTakesTheFirstGoodReplyAndCancelsTheOthers(t *testing.T) {
	members(t, func(f *fixture, c *crew) {
		began := time.Now()
		got, err := pool.First(f.Context(), f.sys, f.pool, 2, func(n int) bool { return n > 1 })
		if got != 3 || err != nil || time.Since(began) != 3*time.Second {
			f.Errorf("%d, %v after %v; want 3", got, err, time.Since(began))
		}
		synctest.Wait()
		if n := c.count(&c.given); n != 1 {
			f.Errorf("%d workers were cancelled, want 1", n)
		}
		if got, err := pool.First[int](f.Context(), f.sys, f.pool, "any", nil); got != 1 || err != nil {
			f.Errorf("%d, %v; want 1", got, err)
		}
		synctest.Wait()
		if s := f.stats(); s.Busy != 0 {
			f.Errorf("stats %+v", s)
		}
		_, err = pool.First(f.Context(), f.sys, f.pool, 2, func(n int) bool { return n > 4 })
		f.wantFailed("no good reply", err, pool.ErrNoneGood)
		f.wantFailed("the reason of one", err, errBoom)
		_, err = pool.First(f.Context(), f.sys, f.pool, 0, func(int) bool { panic("judge") })
		f.wantFailed("a judge that panics", err, pool.ErrNoneGood)
		ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
		cancel()
		_, err = pool.First[int](ctx, f.sys, f.pool, 0, nil)
		f.wantFailed("a caller that has gone", err, context.Canceled)
	})
}

func TestBroadcastReachesEveryWorkerAndWaitsForNone(t *testing.T) {
	bubble(t, pool.Config{Size: 5}, func(f *fixture) {
		f.call(takes{time.Minute}, time.Hour) // one is busy, so its part waits
		synctest.Wait()
		began := time.Now()
		n, err := pool.Broadcast(f.Context(), f.sys, f.pool, silent{})
		if n != 5 || err != nil || time.Since(began) > 0 {
			f.Errorf("%d, %v after %v", n, err, time.Since(began))
		}
		time.Sleep(time.Hour)
		each := make(map[actor.PID]int)
		for _, by := range f.by() {
			each[by]++
		}
		if len(each) != 5 || len(f.by()) != 6 {
			f.Errorf("done by %v", each)
		}
	})
}

func TestFanOutThatFindsNoRoomIsRefusedAsAWhole(t *testing.T) {
	bubble(t, pool.Config{Size: 3, Queue: 2}, func(f *fixture) {
		for range 3 {
			f.call(takes{time.Minute}, time.Hour)
		}
		synctest.Wait()
		_, err := pool.Scatter[actor.PID](f.Context(), f.sys, f.pool, takes{}, 0)
		f.wantFailed("scatter", err, pool.ErrFull)
		_, err = pool.Broadcast(f.Context(), f.sys, f.pool, takes{})
		f.wantFailed("broadcast", err, pool.ErrFull)
		_, err = pool.First[actor.PID](f.Context(), f.sys, f.pool, takes{}, nil)
		f.wantFailed("first", err, pool.ErrFull)
		time.Sleep(time.Hour)
		if n := len(f.by()); n != 3 {
			f.Errorf("%d jobs were done, want 3", n)
		}
	})
}

func TestFanOutWithoutWorkersFails(t *testing.T) {
	bubble(t, pool.Config{Size: 1, Worker: pool.Same(func(*actor.Self, ...any) (actor.PID, error) {
		return actor.PID{}, actor.ErrIgnore
	})}, func(f *fixture) {
		_, err := pool.Scatter[int](f.Context(), f.sys, f.pool, 1, 0)
		f.wantFailed("scatter", err, pool.ErrNoWorkers)
		if !pool.Refused(err) {
			f.Error("Refused does not say so")
		}
		_, err = pool.Broadcast(f.Context(), f.sys, f.pool, 1)
		f.wantFailed("broadcast", err, pool.ErrNoWorkers)
	})
}
