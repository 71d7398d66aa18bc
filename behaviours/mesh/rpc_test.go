package mesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/behaviours/rpc"
)

func TestReliableCallsFindTheirServersInTheMesh(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		var runs atomic.Int32
		handler := func(ctx context.Context, _ *actor.Self, req any) (any, error) {
			if runs.Add(1) == 1 {
				<-ctx.Done() // the first instance that is asked never answers
				return nil, ctx.Err()
			}
			return req, nil
		}
		var pids []actor.PID
		for range 3 {
			server, err := rpc.NewServer(rpc.ServerConfig{Handler: handler})
			if err != nil {
				t.Fatal(err)
			}
			pid, err := w.sys.Spawn(t.Context(), server)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Register(t.Context(), orders(), pid); err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		s := w.service("")
		client, err := rpc.New(rpc.Config{System: w.sys, Alternative: s.Alternative, TryTimeout: 100 * time.Millisecond, Tries: 2})
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Pick()
		if err != nil {
			t.Fatal(err)
		}
		n, err := rpc.Call[int](t.Context(), client, w.sys, first, 7, rpc.Idempotent())
		if n != 7 || err != nil || runs.Load() != 2 {
			t.Errorf("%d, %v after %d runs", n, err, runs.Load())
		}
		for _, pid := range pids {
			_ = w.sys.Kill(pid)
		}
		synctest.Wait()
		if _, err := rpc.Call[int](t.Context(), client, w.sys, first, 7); !errors.Is(err, actor.ErrNoProc) {
			t.Error(err)
		}
	})
}
