package pool_test

import (
	"context"
	"sync"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/pool"
)

func nothing(_ context.Context, job any) (any, error) { return job, nil }

// BenchmarkPoolCall is one caller of a pool whose workers do nothing.
func BenchmarkPoolCall(b *testing.B) {
	for _, route := range []pool.Route{pool.RoundRobin, pool.LeastBusy, pool.Hash} {
		b.Run(route.String(), func(b *testing.B) {
			sys := actortest.NewSystem(b)
			cfg := pool.Config{Work: nothing, Size: 8, Route: route}
			if route == pool.Hash {
				cfg.Key = func(any) string { return "a key" }
			}
			p, err := pool.Spawn(b.Context(), sys, cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := actor.Call[string](context.Background(), sys, p, "job"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBusyPool is 64 callers of a pool of eight workers.
func BenchmarkBusyPool(b *testing.B) {
	sys := actortest.NewSystem(b)
	p, err := pool.Spawn(b.Context(), sys, pool.Config{Work: nothing, Size: 8})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range b.N / 64 {
				if _, err := actor.Call[string](context.Background(), sys, p, "job"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	callers.Wait()
}
