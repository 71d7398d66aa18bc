package remote_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// benchPair starts two nodes on loopback TCP and a process on the first.
func benchPair(b *testing.B) (from *actor.System, to actor.PID) {
	b.Helper()
	node := func(cfg remote.Config) (*remote.Node, *actor.System) {
		cfg.Logger = slog.New(slog.DiscardHandler)
		n, err := remote.New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Start(sys); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = sys.Close(context.Background())
			_ = n.Close(context.Background())
		})
		return n, sys
	}
	a, sysA := node(config("a"))
	_, sysB := node(config("b", a.Addr()))
	pid, err := sysA.Spawn(b.Context(), &counter{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := actor.Call[int](b.Context(), sysB, pid, Get{}); err != nil {
		b.Fatal(err)
	}
	return sysB, pid
}

// One process's messages to another node, until all have been handled.
func BenchmarkTell(b *testing.B) {
	from, to := benchPair(b)
	b.ReportAllocs()
	for b.Loop() {
		for errors.Is(from.Send(to, Add{1}), remote.ErrQueueFull) {
			runtime.Gosched()
		}
	}
	if _, err := actor.Call[int](b.Context(), from, to, Get{}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCall(b *testing.B) {
	from, to := benchPair(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := actor.Call[int](b.Context(), from, to, Get{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBulk(b *testing.B) {
	from, to := benchPair(b)
	data := make([]byte, 512<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for errors.Is(from.Send(to, data), remote.ErrQueueFull) {
			runtime.Gosched()
		}
	}
	if _, err := actor.Call[int](b.Context(), from, to, Get{}); err != nil {
		b.Fatal(err)
	}
}
