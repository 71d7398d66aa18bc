package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/pool"
	"github.com/topos-go/topos/supervisor"
)

func TestRoundRobinTakesTheWorkersInTurn(t *testing.T) {
	bubble(t, pool.Config{Size: 3}, func(f *fixture) {
		var first []actor.PID
		for i := range 9 {
			by, err := f.ask(takes{})
			if err != nil {
				f.Fatal(err)
			}
			if i < 3 {
				first = append(first, by)
			} else if by != first[i%3] {
				f.Errorf("job %d was done by %v, want %v", i, by, first[i%3])
			}
		}
		if first[0] == first[1] || first[1] == first[2] || first[0] == first[2] {
			f.Errorf("workers %v", first)
		}
	})
}

func TestBusyWorkersAreLeftOut(t *testing.T) {
	bubble(t, pool.Config{Size: 2}, func(f *fixture) {
		slow := f.call(takes{time.Minute}, time.Hour)
		synctest.Wait()
		busy := make(map[actor.PID]bool)
		for range 5 {
			by, _ := f.ask(takes{time.Second})
			busy[by] = true
		}
		if a := <-slow; len(busy) != 1 || busy[a.by] {
			f.Errorf("%v has a slow job, the others were done by %v", a.by, busy)
		}
	})
}

func TestLeastBusyTakesTheWorkerWithTheFewestJobs(t *testing.T) {
	bubble(t, pool.Config{Size: 3, Limit: 10, Route: pool.LeastBusy}, func(f *fixture) {
		for i := range 9 {
			f.call(takes{time.Duration(i+1) * time.Minute}, time.Hour)
			synctest.Wait()
		}
		if s := f.stats(); s.Busy != 9 || s.Waiting != 0 {
			f.Errorf("stats %+v", s)
		}
		time.Sleep(12 * time.Minute) // each has done its first two of three
		by := f.by()
		count := make(map[actor.PID]int)
		for _, pid := range by {
			count[pid]++
		}
		for pid, n := range count {
			if n < 1 || n > 3 {
				f.Errorf("%v has done %d jobs of %v", pid, n, by)
			}
		}
		if len(count) != 3 {
			f.Errorf("jobs were done by %v", count)
		}
	})
}

func key(msg any) string { return msg.(keyed).key }

func TestHashSendsEqualKeysToOneWorker(t *testing.T) {
	bubble(t, pool.Config{Size: 8, Route: pool.Hash, Key: key}, func(f *fixture) {
		owner := make(map[string]actor.PID)
		used := make(map[actor.PID]bool)
		for i := range 400 {
			k := fmt.Sprint("key ", i%100)
			by, err := f.ask(keyed{k})
			if err != nil {
				f.Fatal(err)
			}
			if was, ok := owner[k]; ok && was != by {
				f.Errorf("%s was %v's, now %v's", k, was, by)
			}
			owner[k], used[by] = by, true
		}
		if len(used) != 8 {
			f.Errorf("%d of 8 workers are used", len(used))
		}
		_, err := f.ask("no key") // on which Key panics
		f.wantFailed("job without a key", err, pool.ErrKey)
	})
}

func TestJobsForAWorkerThatIsRestartedWaitForItsReplacement(t *testing.T) {
	cfg := pool.Config{Size: 4, Route: pool.Hash, Backoff: supervisor.Backoff{Initial: time.Minute}}
	cfg.Key = func(msg any) string {
		if k, ok := msg.(keyed); ok {
			return k.key
		}
		return "a"
	}
	bubble(t, cfg, func(f *fixture) {
		before, _ := f.ask(keyed{"a"})
		_, err := f.ask(crash{errBoom})
		f.wantFailed("job that crashes its worker", err, errBoom)
		began := time.Now()
		after, err := f.ask(keyed{"a"})
		if err != nil || after == before || time.Since(began) != time.Minute {
			f.Errorf("after %v: done by %v, %v; the worker that crashed was %v", time.Since(began), after, err, before)
		}
	})
}

func TestWhatACrashedWorkerHadInHandFailsWithItsReason(t *testing.T) {
	bubble(t, pool.Config{Size: 1, Limit: 2, Queue: 10}, func(f *fixture) {
		before := f.call(takes{}, time.Hour)
		synctest.Wait()
		bad := f.call(breaks{time.Second}, time.Hour) // no place gets free before it ends
		synctest.Wait()
		behind := f.call(takes{}, time.Hour)
		synctest.Wait()
		waits := f.call(takes{}, time.Hour)
		if a := <-before; a.err != nil {
			f.Errorf("job before: %v", a.err)
		}
		f.wantFailed("job that crashed", (<-bad).err, errBoom)
		f.wantFailed("job in the worker's mailbox", (<-behind).err, errBoom)
		if a := <-waits; a.err != nil {
			f.Errorf("job that waited: %v", a.err)
		}
		if n := f.count(&f.started); n != 2 {
			f.Errorf("%d workers were started, want 2", n)
		}
		if s := f.stats(); s.Workers != 1 || s.Busy != 0 || s.Failed != 2 || s.Completed != 2 {
			f.Errorf("stats %+v", s)
		}
	})
}

func TestErrorOfAWorkerIsTheCallers(t *testing.T) {
	bubble(t, pool.Config{Size: 1}, func(f *fixture) {
		_, err := f.ask(fails{errBoom})
		f.wantFailed("call", err, errBoom)
		_, err = f.ask(silent{})
		f.wantFailed("call without an answer", err, actor.ErrNoReply)
		if n := f.count(&f.started); n != 1 {
			f.Errorf("%d workers", n)
		}
	})
}

// A worker that found nobody, or no room, has begun with the job all the same: it
// is neither gone nor is the job given to another.
func TestWorkerMayAnswerWithErrorsOfCallsOfItsOwn(t *testing.T) {
	for _, own := range []error{actor.ErrNoProc, actor.ErrMailboxFull} {
		bubble(t, pool.Config{Size: 1}, func(f *fixture) {
			for range 3 {
				_, err := f.ask(fails{own})
				f.wantFailed("call", err, own)
			}
			_, err := f.ask(crash{own})
			f.wantFailed("call of a worker that ends", err, own)
			if _, err := f.ask(takes{}); err != nil {
				f.Error(err)
			}
			if s := f.stats(); s.Failed != 4 || s.Completed != 1 {
				f.Errorf("stats %+v", s)
			}
		})
	}
}

func TestJobsForWhichNobodyWaitsAreDone(t *testing.T) {
	bubble(t, pool.Config{Size: 2}, func(f *fixture) {
		for range 10 {
			_ = f.sys.Send(f.pool, silent{})
			_ = f.sys.Send(f.pool, takes{time.Minute}) // longer than a call may take
		}
		time.Sleep(time.Hour)
		if s := f.stats(); s.Completed != 20 || s.Failed != 0 {
			f.Errorf("stats %+v", s)
		}
	})
}

func TestFullQueueRefusesJobs(t *testing.T) {
	bubble(t, pool.Config{Size: 1, Queue: 2}, func(f *fixture) {
		for range 3 { // one in hand, two wait
			f.call(takes{time.Minute}, time.Hour)
			synctest.Wait()
		}
		_, err := f.ask(takes{})
		f.wantFailed("call", err, pool.ErrFull)
		if !pool.Refused(err) {
			f.Error("Refused does not say so")
		}
		_ = f.sys.Send(f.pool, takes{})
		if s := f.stats(); s.Waiting != 2 || s.Blocked != 0 || s.Refused != 2 {
			f.Errorf("stats %+v", s)
		}
		time.Sleep(time.Hour)
		if _, err := f.ask(takes{}); err != nil {
			f.Errorf("later: %v", err)
		}
	})
}

func TestFullQueueBlocksCallersUntilTheirDeadline(t *testing.T) {
	bubble(t, pool.Config{Size: 1, Queue: 1, Overflow: pool.Block, Blocked: 2}, func(f *fixture) {
		var calls []<-chan answer
		for i := range 4 { // in hand, waits, and two outside
			timeout := time.Hour
			if i == 2 {
				timeout = 30 * time.Second
			}
			calls = append(calls, f.call(takes{time.Minute}, timeout))
			synctest.Wait()
		}
		_, err := f.ask(takes{})
		f.wantFailed("call when too many are blocked", err, pool.ErrFull)
		_ = f.sys.Send(f.pool, takes{}) // nobody could be blocked
		if s := f.stats(); s.Waiting != 1 || s.Blocked != 2 || s.Refused != 2 {
			f.Errorf("stats %+v", s)
		}
		began := time.Now()
		f.wantFailed("blocked call", (<-calls[2]).err, actor.ErrTimeout)
		if s := f.stats(); s.Blocked != 1 || time.Since(began) != 30*time.Second {
			f.Errorf("after %v: stats %+v", time.Since(began), s)
		}
		for _, i := range []int{0, 1, 3} {
			if a := <-calls[i]; a.err != nil {
				f.Errorf("call %d: %v", i, a.err)
			}
		}
		if took := time.Since(began); took != 3*time.Minute {
			f.Errorf("three jobs took %v", took)
		}
	})
}

func TestCallerThatGivesUpIsNotWorkedFor(t *testing.T) {
	bubble(t, pool.Config{Size: 1}, func(f *fixture) {
		inHand := f.call(takes{time.Hour}, time.Second)
		synctest.Wait()
		waits := f.call(takes{time.Hour}, 2*time.Second)
		f.wantFailed("job in hand", (<-inHand).err, actor.ErrTimeout)
		f.wantFailed("job that waited", (<-waits).err, actor.ErrTimeout)
		synctest.Wait()
		if n := f.count(&f.given); n != 2 {
			f.Errorf("%d jobs were cancelled in the worker, want 2", n)
		}
		if s := f.stats(); s.Busy != 0 || s.Waiting != 0 || s.Completed+s.Failed != 2 {
			f.Errorf("stats %+v", s)
		}
	})
}

func TestStartFailsIfAWorkerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		actortest.CheckLeaks(t, sys)
		f := &fixture{T: t, sys: sys}
		n := 0
		start := func(parent *actor.Self, args ...any) (actor.PID, error) {
			if n++; n == 3 {
				return actor.PID{}, errBoom
			}
			return f.hire()(parent, args...)
		}
		_, err := pool.Spawn(t.Context(), sys, pool.Config{Worker: pool.Same(start), Size: 4}, actor.Name("pool"))
		f.wantFailed("start", err, errBoom)
		if _, held := sys.Whereis("pool"); held {
			t.Error("the name is held")
		}
	})
}

func TestPoolWhoseWorkersCrashTooOftenEnds(t *testing.T) {
	bubble(t, pool.Config{Size: 2, Intensity: supervisor.AtMost(2), Period: time.Hour}, func(f *fixture) {
		probe := actortest.NewProbe(f.T, f.sys)
		probe.Monitor(f.pool)
		for range 3 {
			_, err := f.ask(crash{errBoom})
			f.wantFailed("job", err, errBoom)
			synctest.Wait()
		}
		probe.ExpectDown(f.pool, supervisor.ErrIntensity, time.Minute)
	})
}

func TestCallsFailWithTheReasonWhenThePoolEnds(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(f *fixture)
		want error
	}{
		"in order": {func(f *fixture) { _ = f.sys.Exit(f.pool, actor.ErrShutdown) }, actor.ErrShutdown},
		"killed":   {func(f *fixture) { _ = f.sys.Kill(f.pool) }, actor.ErrKilled},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, pool.Config{Size: 1}, func(f *fixture) {
				actortest.CheckLeaks(f.T, f.sys)
				inHand := f.call(takes{time.Hour}, 2*time.Hour)
				synctest.Wait()
				waits := f.call(takes{}, 2*time.Hour)
				synctest.Wait()
				end.do(f)
				f.wantFailed("job in hand", (<-inHand).err, end.want)
				f.wantFailed("job that waits", (<-waits).err, end.want)
				time.Sleep(time.Minute)
				if n := f.sys.Stats().Processes; n != 0 {
					f.Errorf("%d processes are left", n)
				}
			})
		})
	}
}

// It runs in a bubble.
func TestJobThatIsDoneWhenThePoolEndsIsAnswered(t *testing.T) {
	cfg := pool.Config{Size: 1, Route: pool.Hash, Key: func(job any) string {
		if _, slow := job.(keyed); slow {
			time.Sleep(time.Minute) // which holds the pool up
		}
		return ""
	}}
	bubble(t, cfg, func(f *fixture) {
		inHand := f.call(takes{30 * time.Second}, time.Hour)
		synctest.Wait()
		_ = f.sys.Send(f.pool, keyed{})
		synctest.Wait()
		_ = f.sys.Exit(f.pool, actor.ErrShutdown) // comes before the news of the job
		if a := <-inHand; a.err != nil {
			f.Errorf("job: %v", a.err)
		}
		synctest.Wait()
		if f.sys.Alive(f.pool) {
			f.Error("the pool is alive")
		}
	})
}

func TestPoolIsASupervisedChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{T: t, sys: actortest.NewSystem(t)}
		name := actor.Name("pool")
		cfg := pool.Config{Worker: pool.Same(f.hire()), Size: 2}
		sup, err := supervisor.Spawn(t.Context(), f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			{ID: "pool", Start: pool.Start(cfg, name), Type: supervisor.Supervisor},
		}})
		if err != nil {
			t.Fatal(err)
		}
		f.pool, _ = f.sys.Whereis(name)
		_ = f.sys.Exit(f.pool, errBoom) // not its parent: it means nothing
		if _, err := f.ask(takes{}); err != nil {
			t.Error(err)
		}
		_ = f.sys.Kill(f.pool)
		synctest.Wait()
		if again, ok := f.sys.Whereis(name); !ok || again == f.pool {
			t.Errorf("the pool is %v", again)
		}
		if n := f.count(&f.started); n != 4 {
			t.Errorf("%d workers were started, want 4", n)
		}
		_ = f.sys.Exit(sup, actor.ErrShutdown)
		synctest.Wait()
		if n := f.sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

func TestConfigReportsAllMistakesAtOnce(t *testing.T) {
	bad := pool.Config{Max: -1, Limit: -1, Route: 9, Overflow: 9, Queue: -1, Idle: -1, Key: func(any) string { return "" }, Shutdown: -5}
	err := bad.Validate()
	for _, want := range []string{"no Work and no Worker", "Size 0", "Max -1", "Limit", "Route(9)", "Overflow(9)", "Queue", "Idle", "Key", "Shutdown"} {
		if !errors.Is(err, pool.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not among the mistakes: %v", want, err)
		}
	}
	if _, err := pool.New(bad); !errors.Is(err, pool.ErrConfig) {
		t.Errorf("New: %v", err)
	}
	sys := actortest.NewSystem(t)
	if _, err := pool.Spawn(t.Context(), sys, bad); !errors.Is(err, pool.ErrConfig) {
		t.Errorf("Spawn: %v", err)
	}
}

// A storm of jobs, crashes and callers that give up leaves nothing behind.
func TestEveryCallIsAnsweredUnderStress(t *testing.T) {
	sys := actortest.NewSystem(t)
	f := &fixture{T: t, sys: sys}
	p, err := pool.Spawn(t.Context(), sys, pool.Config{
		Worker: pool.Same(f.hire()), Size: 2, Max: 8, Limit: 2, Queue: 50, Overflow: pool.Block, GrowQueue: 1,
		Intensity: supervisor.AtMost(1 << 30),
	})
	if err != nil {
		t.Fatal(err)
	}
	const callers, each = 16, 100
	done := make(chan error, callers)
	for c := range callers {
		go func() {
			for i := range each {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				var msg any = keyed{}
				switch (c + i) % 20 {
				case 0:
					msg = crash{errBoom}
				case 1:
					cancel()
				case 2:
					msg = fails{errBoom}
				}
				_, err := actor.Call[actor.PID](ctx, sys, p, msg)
				cancel()
				if err != nil && !errors.Is(err, errBoom) && !errors.Is(err, context.Canceled) {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s, err := pool.StatsOf(t.Context(), sys, p)
	if err != nil || s.Busy != 0 || s.Waiting != 0 {
		t.Errorf("stats %+v, %v", s, err)
	}
}
