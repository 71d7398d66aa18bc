package actor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func testSystem(t *testing.T) *System {
	t.Helper()
	s, err := NewSystem(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustSpawn(t testing.TB, s *System, f Func) PID {
	t.Helper()
	pid, err := s.Spawn(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestBlockedHandlersNeverStarveOthers blocks a thousand handlers, each in its own way, and expects
// everybody else to go on: on every number of threads.
func TestBlockedHandlersNeverStarveOthers(t *testing.T) {
	for procs := 1; procs <= 4; procs++ {
		old := runtime.GOMAXPROCS(procs)
		ways := map[string]func(release chan struct{}, mu *sync.Mutex){
			"channel": func(release chan struct{}, _ *sync.Mutex) { <-release },
			"mutex":   func(_ chan struct{}, mu *sync.Mutex) { mu.Lock(); defer mu.Unlock() },
			"select": func(release chan struct{}, _ *sync.Mutex) {
				select {
				case <-release:
				case <-time.After(time.Hour):
				}
			},
		}
		for name, block := range ways {
			s := testSystem(t)
			release := make(chan struct{})
			var mu sync.Mutex
			mu.Lock()
			var blocked sync.WaitGroup
			for range 1000 {
				blocked.Add(1)
				pid := mustSpawn(t, s, func(*Self, any) error {
					blocked.Done()
					block(release, &mu)
					return nil
				})
				_ = s.Send(pid, 1)
			}
			blocked.Wait() // all of them have begun: each on a worker of its own
			progress(t, s, name)
			close(release)
			mu.Unlock()
		}
		runtime.GOMAXPROCS(old)
	}
}

// progress lets pairs of processes play and fails if they do not end.
func progress(t *testing.T, s *System, where string) {
	t.Helper()
	const pairs, rounds = 20, 50
	var done sync.WaitGroup
	for range pairs {
		done.Add(1)
		b := mustSpawn(t, s, func(self *Self, msg any) error { return self.Reply(msg) })
		a := mustSpawn(t, s, func(self *Self, _ any) error {
			defer done.Done()
			for i := range rounds {
				if n, err := Call[int](context.Background(), self, b, i); n != i || err != nil {
					t.Errorf("%s: %v, %v", where, n, err)
				}
			}
			return nil
		})
		_ = s.Send(a, 1)
	}
	done.Wait()
}

func TestHandlersThatSleepRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSystem(t)
		var done sync.WaitGroup
		began := time.Now()
		for range 1000 {
			done.Add(1)
			pid := mustSpawn(t, s, func(*Self, any) error { time.Sleep(time.Second); done.Done(); return nil })
			_ = s.Send(pid, 1)
		}
		done.Wait()
		if d := time.Since(began); d != time.Second {
			t.Errorf("took %v", d)
		}
	})
}

// workers counts the goroutines of a quiescent scheduler.
func (s *scheduler) workers() (parked int, active int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.parked), s.active.Load()
}

func TestSurplusWorkersRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSystem(t)
		for range 3 {
			for range 1000 {
				_ = s.Send(mustSpawn(t, s, func(*Self, any) error { time.Sleep(time.Second); return ErrNormal }), 1)
			}
			synctest.Wait()
			if _, active := s.sched.workers(); active < 1000 {
				t.Errorf("%d workers active for 1000 blocked handlers", active)
			}
			time.Sleep(time.Minute)
			if parked, active := s.sched.workers(); parked > maxParked || active != 0 {
				t.Errorf("%d workers parked, %d active when all is quiet", parked, active)
			}
		}
	})
}

func TestGoexitOfHandlersDoesNotStopTheScheduler(t *testing.T) {
	s := testSystem(t)
	for range 500 {
		_ = s.Send(mustSpawn(t, s, func(*Self, any) error { runtime.Goexit(); return nil }), 1)
	}
	progress(t, s, "after Goexit")
}

// TestBusyProcessesDoNotStarveOthers: one that always has mail must let the others run.
func TestBusyProcessesDoNotStarveOthers(t *testing.T) {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	s := testSystem(t)
	var stop atomic.Bool
	for range 4 {
		pid := mustSpawn(t, s, func(self *Self, msg any) error {
			if stop.Load() {
				return nil
			}
			return self.Send(self.PID(), msg)
		})
		_ = s.Send(pid, 1)
	}
	progress(t, s, "beside busy processes")
	stop.Store(true)
}

func TestRunQueueIsFIFOAndGrows(t *testing.T) {
	var q shard
	var want []*process
	for round := range 50 {
		for range round {
			p := new(process)
			q.push(p)
			want = append(want, p)
		}
		for range round / 2 {
			if p := q.pop(); p != want[0] {
				t.Fatal("not the oldest")
			}
			want = want[1:]
		}
		if q.some.Load() != (len(want) > 0) {
			t.Fatal("some is wrong")
		}
	}
	for _, p := range want {
		if q.pop() != p {
			t.Fatal("not the oldest")
		}
	}
	if q.pop() != nil || q.some.Load() {
		t.Error("not empty")
	}
}
