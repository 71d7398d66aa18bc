package pool_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/pool"
)

func TestElasticPoolGrowsByQueueLengthAndShrinksWhenIdle(t *testing.T) {
	cfg := pool.Config{Size: 1, Max: 4, GrowQueue: 2, GrowWait: time.Hour, Idle: time.Minute}
	bubble(t, cfg, func(f *fixture) {
		f.call(takes{10 * time.Second}, time.Hour)
		f.call(takes{10 * time.Second}, time.Hour)
		if s := f.stats(); s.Workers != 1 || s.Waiting != 1 {
			f.Errorf("one job waits: %+v", s)
		}
		for range 10 {
			f.call(takes{10 * time.Second}, time.Hour)
		}
		if s := f.stats(); s.Workers != 4 || s.Busy != 4 {
			f.Errorf("many jobs wait: %+v", s)
		}
		time.Sleep(31 * time.Second) // 12 jobs by 4 workers
		if s := f.stats(); s.Completed != 12 || s.Workers != 4 {
			f.Errorf("all jobs are done: %+v", s)
		}
		time.Sleep(30 * time.Second)
		if _, err := f.ask(takes{}); err != nil { // keeps one from being idle
			f.Error(err)
		}
		time.Sleep(30 * time.Second)
		if s := f.stats(); s.Workers != 1 {
			f.Errorf("idle for a minute: %+v", s)
		}
		time.Sleep(time.Hour)
		if s := f.stats(); s.Workers != 1 {
			f.Errorf("idle for an hour: %+v", s)
		}
		if _, err := f.ask(takes{}); err != nil {
			f.Error(err)
		}
	})
}

func TestElasticPoolGrowsByWaitingTime(t *testing.T) {
	cfg := pool.Config{Size: 1, Max: 3, GrowQueue: 100, GrowWait: time.Second, Idle: time.Minute}
	bubble(t, cfg, func(f *fixture) {
		began := time.Now()
		f.call(takes{time.Hour}, 2*time.Hour)
		synctest.Wait()
		if a := <-f.call(takes{}, time.Hour); a.err != nil || time.Since(began) != time.Second {
			f.Errorf("job that waited: %v after %v", a.err, time.Since(began))
		}
		if s := f.stats(); s.Workers != 2 {
			f.Errorf("stats %+v", s)
		}
	})
}

func TestGrowthThatFailsIsTriedAgain(t *testing.T) {
	started := 0
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{T: t, sys: actortest.NewSystem(t)}
		start := func(parent *actor.Self, args ...any) (actor.PID, error) {
			if started++; started == 2 || started == 3 {
				return actor.PID{}, map[bool]error{true: errBoom, false: actor.ErrIgnore}[started == 2]
			}
			return f.hire()(parent, args...)
		}
		var err error
		f.pool, err = pool.Spawn(t.Context(), f.sys, pool.Config{Worker: pool.Same(start), Size: 1, Max: 2, GrowQueue: 1})
		if err != nil {
			t.Fatal(err)
		}
		f.call(takes{time.Hour}, 2*time.Hour)
		synctest.Wait()
		began := time.Now()
		if a := <-f.call(takes{}, time.Hour); a.err != nil || time.Since(began) != 2*time.Second || started != 4 {
			t.Errorf("%v after %v and %d starts", a.err, time.Since(began), started)
		}
	})
}
