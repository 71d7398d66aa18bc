package pool_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/pool"
	"github.com/topos-go/topos/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBoom = errors.New("boom")

// The jobs of these tests.
type (
	takes  struct{ d time.Duration } // takes so long, and answers with the worker
	fails  struct{ err error }       // is answered with an error
	crash  struct{ err error }       // ends the worker
	breaks struct{ d time.Duration } // ends it with errBoom, after so long
	keyed  struct{ key string }      // answers with the worker
	silent struct{}                  // is not answered
)

// crew is what the test knows of workers.
type crew struct {
	mu      sync.Mutex
	started int
	done    []actor.PID // who has done a job, in order
	given   int         // jobs whose caller had given up
}

func (c *crew) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *crew) by() []actor.PID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

func (c *crew) count(what *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *what
}

// worker answers with its PID. It runs in a bubble.
type worker struct{ *crew }

func (w worker) Init(*actor.Self) error {
	w.note(func() { w.started++ })
	return nil
}

// Receive runs in a bubble.
func (w worker) Receive(self *actor.Self, msg any) error {
	defer w.note(func() { w.done = append(w.done, self.PID()) })
	switch m := msg.(type) {
	case takes:
		select {
		case <-time.After(m.d):
		case <-self.Context().Done():
			w.note(func() { w.given++ })
			time.Sleep(time.Millisecond) // so that the caller is first
		}
	case fails:
		return self.ReplyError(m.err)
	case crash:
		return m.err
	case breaks:
		time.Sleep(m.d)
		return errBoom
	case silent:
		return nil
	}
	return self.Reply(self.PID())
}

// fixture is a system in a bubble with the crew of a pool.
type fixture struct {
	*testing.T
	crew
	sys  *actor.System
	pool actor.PID
}

// many is an intensity that no test reaches.
var many = supervisor.AtMost(1000)

// bubble runs test with a pool.
func bubble(t *testing.T, cfg pool.Config, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{T: t, sys: actortest.NewSystem(t)}
		if cfg.Worker == nil && cfg.Work == nil {
			cfg.Worker = pool.Same(f.hire())
		}
		if cfg.Intensity == (supervisor.Intensity{}) {
			cfg.Intensity = many
		}
		var err error
		if f.pool, err = pool.Spawn(t.Context(), f.sys, cfg); err != nil {
			t.Fatal(err)
		}
		test(f)
	})
}

func (f *fixture) hire() actor.StartFunc {
	return actor.Start(func() actor.Actor { return worker{&f.crew} })
}

// answer is the outcome of a call.
type answer struct {
	by  actor.PID
	err error
}

// call calls the pool from a goroutine of its own.
func (f *fixture) call(msg any, timeout time.Duration) <-chan answer {
	done := make(chan answer, 1)
	ctx, cancel := context.WithTimeout(f.Context(), timeout)
	go func() {
		defer cancel()
		by, err := actor.Call[actor.PID](ctx, f.sys, f.pool, msg)
		done <- answer{by, err}
	}()
	return done
}

// ask calls the pool and waits.
func (f *fixture) ask(msg any) (actor.PID, error) {
	a := <-f.call(msg, time.Hour)
	return a.by, a.err
}

func (f *fixture) wantFailed(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

// stats returns the pool's when nothing happens any more.
func (f *fixture) stats() pool.Stats {
	f.Helper()
	synctest.Wait()
	s, err := pool.StatsOf(f.Context(), f.sys, f.pool)
	if err != nil {
		f.Fatal(err)
	}
	return s
}
