package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/pool"
)

func TestWorkIsCancelledWhenNobodyWantsItAnyMore(t *testing.T) {
	for name, end := range map[string]func(f *fixture, cancel func()){
		"the caller gives up": func(_ *fixture, cancel func()) { cancel() },
		"the pool ends":       func(f *fixture, _ func()) { _ = f.sys.Exit(f.pool, actor.ErrShutdown) },
	} {
		t.Run(name, func(t *testing.T) {
			cancelled := make(chan error, 1)
			bubble(t, pool.Config{Size: 1, Work: func(ctx context.Context, _ any) (any, error) {
				<-ctx.Done()
				cancelled <- ctx.Err()
				return nil, ctx.Err()
			}}, func(f *fixture) {
				ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
				failed := make(chan error)
				go func() {
					_, err := actor.Call[any](ctx, f.sys, f.pool, "job")
					failed <- err
				}()
				synctest.Wait()
				end(f, cancel)
				if err := <-failed; err == nil {
					f.Error("the call was answered")
				}
				synctest.Wait()
				if len(cancelled) != 1 {
					f.Error("the work was not cancelled")
				}
				cancel()
			})
		})
	}
}

func TestWorkThatPanicsCostsItsWorkerAndItsCallerOnly(t *testing.T) {
	bubble(t, pool.Config{Size: 1, Work: func(_ context.Context, job any) (any, error) {
		if job == "error" {
			return nil, errBoom
		}
		return 100 / job.(int), nil
	}}, func(f *fixture) {
		var panicked *actor.PanicError
		if _, err := actor.Call[int](f.Context(), f.sys, f.pool, 0); !errors.As(err, &panicked) {
			f.Errorf("work that panics: %v", err)
		}
		_, err := actor.Call[int](f.Context(), f.sys, f.pool, "error")
		f.wantFailed("work that fails", err, errBoom)
		if n, err := actor.Call[int](f.Context(), f.sys, f.pool, 50); n != 2 || err != nil {
			f.Errorf("%d, %v", n, err)
		}
	})
}

func TestWorkerThatIsKilledGivesItsWorkUp(t *testing.T) {
	cancelled := make(chan error, 1)
	bubble(t, pool.Config{Size: 1, Work: func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		cancelled <- ctx.Err()
		return nil, nil
	}}, func(f *fixture) {
		call := f.call("job", time.Hour)
		synctest.Wait()
		for pid := range f.sys.Processes() {
			if info, ok := f.sys.Info(pid); ok && info.Type == "pool.doer" {
				_ = f.sys.Kill(pid)
			}
		}
		f.wantFailed("job", (<-call).err, actor.ErrKilled)
		synctest.Wait()
		if len(cancelled) != 1 || f.sys.Stats().Zombies != 0 {
			f.Errorf("the work was not cancelled; %d zombies", f.sys.Stats().Zombies)
		}
	})
}

// loan is memory that is wanted back.
type loan struct{ returned *bool }

func (l loan) Return() { *l.returned = true }

func TestJobThatWasLentStaysAsLongAsItIsNeeded(t *testing.T) {
	got := make(chan string, 1)
	bubble(t, pool.Config{Size: 1, Work: func(_ context.Context, job any) (any, error) {
		got <- string(job.([]byte))
		return nil, nil
	}}, func(f *fixture) {
		returned := false
		f.sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: f.pool, Msg: []byte("a job"), Loan: loan{&returned}})
		if job := <-got; job != "a job" || returned {
			f.Errorf("job %q; its memory was given back: %v", job, returned)
		}
	})
}
