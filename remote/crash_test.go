package remote_test

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// stumbling is a transport whose first attempts to connect are broken off, as if the other
// machine was too busy for them.
type stumbling struct {
	remote.Transport
	left atomic.Int32
}

func (s *stumbling) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if s.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNRESET}
	}
	return s.Transport.Dial(ctx, addr)
}

// What a node tries on its own, to learn whether another one can be dialled, may fail. That
// one of its lanes has been connected there says the same.
func TestCrashIsNoticedAtOnceWhereAnyLaneWasDialled(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("a")
		cfg.Transport = &stumbling{Transport: cfg.Transport}
		cfg.Transport.(*stumbling).left.Store(1)
		a := start(t, cfg)
		b := w.start("b", a)
		meet(t, a, b)
		w.pass(0)
		if left := cfg.Transport.(*stumbling).left.Load(); left != 0 {
			t.Fatalf("%d attempts are left of those that fail", left)
		}
		pid := b.spawn(t, &counter{})
		if _, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		w.net.Kill("b")
		a.await(t, remote.MemberDown, b.ID())
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
