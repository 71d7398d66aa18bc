package mesh_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/remote"
)

func TestCallReachesAnInstanceOfTheVersionsAskedFor(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		byVersion := make(map[string]*instance)
		for _, v := range []string{"1.2.0", "1.9.3", "2.0.0", "3.0.0-beta.1"} {
			byVersion[v] = w.add(mesh.Definition{Name: "orders", Version: v})
		}
		for versions, want := range map[string][]string{
			"^1.2":      {"1.2.0", "1.9.3"},
			">= 1.5":    {"1.9.3", "2.0.0"},
			"~1.2.0":    {"1.2.0"},
			"":          {"1.2.0", "1.9.3", "2.0.0", "3.0.0-beta.1"},
			">=3.0.0-0": {"3.0.0-beta.1"},
		} {
			before := make(map[string]int)
			for v, i := range byVersion {
				before[v] = i.count()
			}
			s := w.service(versions)
			for range 12 {
				if err := w.call(s); err != nil {
					t.Fatal(err)
				}
			}
			for v, i := range byVersion {
				calls := i.count() - before[v]
				wanted := 0
				for _, x := range want {
					if x == v {
						wanted = 12 / len(want)
					}
				}
				if calls != wanted {
					t.Errorf("%q: version %s had %d calls, want %d", versions, v, calls, wanted)
				}
			}
		}
		if err := w.call(w.service("^4")); !errors.Is(err, mesh.ErrServiceNotFound) {
			t.Errorf("a version that nobody has: %v", err)
		}
		if _, err := w.Service("orders", "four"); err == nil {
			t.Error("a range that is none was taken")
		}
	})
}

func TestErrorsSayWhyThereIsNoInstance(t *testing.T) {
	bubble(t, mesh.Config{Tries: 1}, func(t *testing.T, w *world) {
		s := w.service("")
		if err := w.call(s); !errors.Is(err, mesh.ErrServiceNotFound) {
			t.Errorf("nothing registered: %v", err)
		}
		d := orders()
		d.Health = mesh.Health{Check: mesh.FuncCheck(func(context.Context) error { return errBroken })}
		sick := w.add(d)
		if err := w.call(s); !errors.Is(err, mesh.ErrNoHealthyInstances) {
			t.Errorf("all sick: %v", err)
		}
		if err := sick.reg.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		i := w.add(orders())
		i.set(func(i *instance) { i.mute = true })
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := mesh.Call[int](ctx, s, w.sys, 7)
			cancel()
			if !errors.Is(err, mesh.ErrServiceTimeout) || !errors.Is(err, actor.ErrTimeout) {
				t.Errorf("no answer: %v", err)
			}
		}
		if err := w.call(s); !errors.Is(err, mesh.ErrCircuitOpen) || i.count() != 5 {
			t.Errorf("after five failures: %v, %d calls", err, i.count())
		}
	})
}

func TestOwnErrorOfAnInstanceIsNoFailure(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		i := w.add(orders())
		i.set(func(i *instance) { i.err = errOwn })
		s := w.service("", mesh.Fallback(func(context.Context, any, error) (any, error) { return 1, nil }))
		for range 50 {
			if err := w.call(s, mesh.Idempotent()); !errors.Is(err, errOwn) {
				t.Fatal(err)
			}
		}
		if i.count() != 50 || s.Status().Instances[0].Failures != 0 || s.Status().Circuit != mesh.Closed {
			t.Errorf("%d calls: %+v", i.count(), s.Status())
		}
	})
}

func TestFailuresAreTriedElsewhereWhereThatIsSafe(t *testing.T) {
	for _, c := range []struct {
		about string
		fail  func(w *world, bad *instance)
		opts  []mesh.Option
		saved bool
	}{
		{"an instance that says that it failed", func(_ *world, bad *instance) { bad.err = mesh.Failed(errBroken) }, nil, true},
		{"a timeout of an idempotent request", func(_ *world, bad *instance) { bad.mute = true }, []mesh.Option{mesh.Idempotent()}, true},
		{"a timeout of another one", func(_ *world, bad *instance) { bad.mute = true }, nil, false},
		{"no such process, says an instance of others", func(_ *world, bad *instance) { bad.err = actor.ErrNoProc }, nil, false},
		{"full, says an instance of others", func(_ *world, bad *instance) { bad.err = actor.ErrMailboxFull }, nil, false},
		{"no room on the way to others", func(_ *world, bad *instance) { bad.err = &actor.CallError{Err: remote.ErrQueueFull} }, nil, false},
		{"no such process, and with that it ends", func(_ *world, bad *instance) { bad.end = actor.ErrNoProc }, nil, false},
	} {
		bubble(t, mesh.Config{TryTimeout: 100 * time.Millisecond}, func(t *testing.T, w *world) {
			list := w.addMany(3, orders())
			list[0].set(func(i *instance) { c.fail(w, i) })
			s, failed := w.service(""), 0
			for range 12 {
				if err := w.call(s, c.opts...); err != nil {
					failed++
				}
			}
			if (failed == 0) != c.saved || list[0].count() == 0 {
				t.Errorf("%s: %d of 12 calls failed", c.about, failed)
			}
			for _, in := range s.Status().Instances {
				if (in.Failures > 0) != (in.PID == list[0].pid) {
					t.Errorf("%s: %d failures of %v, %v is the one that fails", c.about, in.Failures, in.PID, list[0].pid)
				}
			}
		})
	}
}

func TestFallbackAnswersWhatNoInstanceHas(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		var why error
		s := w.service("", mesh.Fallback(func(_ context.Context, req any, err error) (any, error) {
			why = err
			return -req.(int), nil
		}))
		n, err := mesh.Call[int](t.Context(), s, w.sys, 7)
		if n != -7 || err != nil || !errors.Is(why, mesh.ErrServiceNotFound) {
			t.Errorf("%d, %v, because of %v", n, err, why)
		}
		if _, err := mesh.Call[string](t.Context(), s, w.sys, 7); !errors.Is(err, actor.ErrReplyType) {
			t.Errorf("a fallback of another type: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		why = nil
		w.add(orders())
		if _, err := mesh.Call[int](ctx, s, w.sys, 7); !errors.Is(err, context.Canceled) || why != nil {
			t.Errorf("the caller gave up: %v, fallback because of %v", err, why)
		}
	})
}

func TestDeadInstanceCostsNoCallOnceItsMonitorHasFired(t *testing.T) {
	for _, tries := range []int{1, 3} {
		bubble(t, mesh.Config{Tries: tries}, func(t *testing.T, w *world) {
			const perSecond, callers, seconds = 20_000, 20, 1
			list := w.addMany(5, orders())
			s := w.service("")
			if tries > 1 {
				s = w.service("", mesh.Idempotent())
			}
			var mu sync.Mutex
			var calls, failed, afterwards, failedAfterwards int
			var down time.Time
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range perSecond * seconds / callers {
						mu.Lock()
						late := !down.IsZero()
						mu.Unlock()
						err := w.call(s)
						mu.Lock()
						calls++
						if late {
							afterwards++
						}
						if err != nil {
							failed++
							if late {
								failedAfterwards++
							}
						}
						mu.Unlock()
						time.Sleep(time.Second * callers / perSecond)
					}
				})
			}
			time.Sleep(time.Second / 2)
			watcher, err := w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
				if _, ok := msg.(actor.Down); ok {
					mu.Lock()
					down = time.Now()
					mu.Unlock()
					return actor.ErrNormal
				}
				self.Monitor(list[2].pid)
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			_ = w.sys.Send(watcher, "watch")
			_ = w.sys.Kill(list[2].pid)
			wg.Wait()
			if calls != perSecond*seconds || afterwards < perSecond/3 {
				t.Fatalf("%d calls, %d of them afterwards", calls, afterwards)
			}
			if share := float64(failedAfterwards) / float64(afterwards); share >= 0.001 {
				t.Errorf("%d of %d calls failed after the monitor had fired", failedAfterwards, afterwards)
			}
			if tries > 1 && failed > 0 {
				t.Errorf("with retries %d calls failed", failed)
			}
		})
	}
}

// stale are groups that never hear of a death.
type stale struct {
	mesh.Groups
	first map[string][]groups.Member
}

func (s *stale) Members(group string) []groups.Member {
	if members := s.Groups.Members(group); len(members) > len(s.first[group]) {
		s.first[group] = members
	}
	return s.first[group]
}

func TestDeadInstanceIsLeftOutByItsMonitorAlone(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		list := w.addMany(3, orders())
		m, err := mesh.Start(t.Context(), mesh.Config{System: w.sys, Tries: 1, Groups: &stale{w.groups, make(map[string][]groups.Member)}})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(t.Context())
		s, err := m.Service("orders", "")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = w.sys.Kill(list[1].pid)
		synctest.Wait()
		for range 30 {
			if err := w.call(s); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.Status().Instances); n != 3 {
			t.Errorf("the groups know %d instances", n)
		}
	})
}

func TestCallOfAClosedMeshFails(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		i := w.add(orders())
		s := w.service("")
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.call(s); !errors.Is(err, mesh.ErrClosed) {
			t.Errorf("a call: %v", err)
		}
		if _, err := w.Service("users", ""); !errors.Is(err, mesh.ErrClosed) {
			t.Errorf("a service: %v", err)
		}
		if _, err := w.Register(t.Context(), orders(), i.pid); !errors.Is(err, mesh.ErrClosed) {
			t.Errorf("a registration: %v", err)
		}
		<-i.reg.Done()
		if n := len(w.groups.Members("mesh/orders")); n != 0 {
			t.Errorf("%d instances are left", n)
		}
	})
}

func TestCallFromAProcessEndsWithIt(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		i := w.add(orders())
		i.set(func(i *instance) { i.mute = true })
		s := w.service("")
		done := make(chan error, 1)
		caller, err := w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, _ any) error {
			_, err := mesh.Call[int](context.Background(), s, self, 7, mesh.Idempotent())
			done <- err
			return err
		}))
		if err != nil {
			t.Fatal(err)
		}
		_ = w.sys.Send(caller, "go")
		synctest.Wait()
		_ = w.sys.Exit(caller, errBroken)
		if err := <-done; !errors.Is(err, errBroken) {
			t.Errorf("the call: %v", err)
		}
		if f := s.Status().Instances[0]; f.Failures != 0 || f.InFlight != 0 {
			t.Errorf("it is held against the instance: %+v", f)
		}
	})
}

func TestInstanceThatPassesAFailureOfOthersOnIsNotTriedElsewhere(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		list := w.addMany(2, orders())
		for _, i := range list {
			i.set(func(i *instance) { i.err = mesh.Failed(errBroken) })
		}
		_, failure := mesh.Call[int](t.Context(), w.service(""), w.sys, 7)
		if !errors.Is(failure, errBroken) {
			t.Fatal(failure)
		}
		d := orders()
		d.Name = "carts"
		asking := w.addMany(3, d)
		for _, i := range asking {
			i.set(func(i *instance) { i.err = failure }) // as its handler does that returns what a call gave it
		}
		s, err := w.Service("carts", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.call(s); !errors.Is(err, errBroken) {
			t.Error(err)
		}
		ran := 0
		for _, i := range asking {
			ran += i.count()
		}
		if ran != 1 {
			t.Errorf("a request that may have had effects ran %d times", ran)
		}
	})
}

func TestPanicOfTheJudgementLeavesNothingBehind(t *testing.T) {
	judge := func(err error) bool {
		if errors.Is(err, errBroken) {
			panic("cannot say")
		}
		return mesh.Failure(err)
	}
	spans := new(handed)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	bubble(t, mesh.Config{Tries: 1, Failure: judge, Tracer: provider}, func(t *testing.T, w *world) {
		d := orders()
		d.Breaker = mesh.Breaker{FailureThreshold: 1, ResetTimeout: time.Second, HalfOpenSuccesses: 1}
		i := w.add(d)
		s := w.service("")
		call := func() (err error, panicked bool) {
			defer func() { panicked = recover() != nil }()
			return w.call(s), false
		}
		i.set(func(i *instance) { i.err = mesh.Failed(errOwn) })
		_, _ = call() // opens both circuits
		time.Sleep(2 * time.Second)
		// Half-open, one call may pass at a time: it must give that up.
		for range 3 {
			i.set(func(i *instance) { i.err = errBroken })
			spans.last = nil
			if err, panicked := call(); !panicked {
				t.Fatalf("no panic, but %v", err)
			}
			if spans.last == nil {
				t.Error("the span of the call was not ended")
			}
		}
		if in := s.Status().Instances[0]; in.InFlight != 0 {
			t.Errorf("%d calls are on their way", in.InFlight)
		}
		i.set(func(i *instance) { i.err = nil })
		if err, _ := call(); err != nil || s.Status().Circuit != mesh.Closed {
			t.Errorf("healed: %v, %v", err, s.Status())
		}
	})
}
