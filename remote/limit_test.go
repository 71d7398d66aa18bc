package remote_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
)

func TestLargeMessageArrivesWhole(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		data := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Big{data}); n != len(data) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		// []byte itself, both ways.
		got, err := actor.Call[[]byte](t.Context(), h[1].sys, pid, data)
		if !bytes.Equal(got, data) || err != nil {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	})
}

func TestTooLargeMessageIsAnErrorAtTheSender(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		small := w.config("b", a)
		small.MaxMessage = 1 << 20
		b := start(t, small)
		meet(t, a, b)
		pid := b.spawn(t, &counter{})
		// a itself would send more, but knows that b takes less.
		if err := a.sys.Send(pid, make([]byte, 2<<20)); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("send: got %v", err)
		}
		if _, err := actor.Call[int](t.Context(), a.sys, pid, Big{make([]byte, 2<<20)}); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("call: got %v", err)
		}
		large := b.spawn(t, replier{make([]byte, 2<<20)})
		if _, err := actor.Call[[]byte](t.Context(), a.sys, large, Get{}); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("reply: got %v", err)
		}
		if n := a.Stats().TooLarge; n != 2 {
			t.Errorf("%d counted", n)
		}
		// What comes with a message has a limit too.
		name := actor.NameAt{Name: actor.Name(make([]byte, 17<<20)), Node: b.ID().Name}
		if err := a.sys.Send(name, Get{}); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("long name: got %v", err)
		}
		if err := a.sys.Send(pid, Get{}, actor.Traced(make([]byte, 2<<20))); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("long trace: got %v", err)
		}
		if _, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); err != nil {
			t.Errorf("the lane does not work any more: %v", err)
		}
	})
}

func TestFullQueueRefusesMessagesButNotSignals(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.QueueBytes, cfg.Misses = 1<<20, 1000
		cfg.Channels = []remote.Channel{{Name: remote.DefaultChannel, WhenFull: remote.Fail}}
		b := start(t, cfg)
		meet(t, a, b)
		pid := a.spawn(t, &counter{})
		if _, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); err != nil {
			t.Fatal(err)
		}
		p := newProbe(false)
		watcher := b.spawn(t, p)
		w.net.Partition("a", "b")
		sent := 0
		for ; sent < 1000; sent++ {
			if err := b.sys.Send(pid, make([]byte, 64<<10)); err != nil {
				if !errors.Is(err, remote.ErrQueueFull) {
					t.Fatalf("got %v", err)
				}
				break
			}
		}
		if sent < 16 || sent > 20 {
			t.Errorf("%d messages of 64 KiB fit into 1 MiB", sent)
		}
		b.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		_ = b.sys.Exit(pid, errBroken)
		time.Sleep(time.Second)
		w.net.Heal("a", "b")
		if down := next[actor.Down](t, p); down.Reason != errBroken {
			t.Errorf("got %v", down.Reason)
		}
		if full := b.Stats().QueueFull; full != 1 {
			t.Errorf("%d counted", full)
		}
		if dead := b.sys.Stats().DeadLetters; dead != 1 {
			t.Errorf("%d dead letters", dead)
		}
	})
}

func TestNodeThatLetsSignalsPileUpIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.QueueBytes, cfg.MaxMessage, cfg.Misses = 10<<10, 10<<10, 1000
		b := start(t, cfg)
		meet(t, a, b)
		pid := a.spawn(t, &counter{})
		w.net.Partition("a", "b")
		for range 10000 {
			if err := b.sys.Exit(pid, actor.ErrNormal); err != nil {
				if !errors.Is(err, actor.ErrNoConnection) {
					t.Fatalf("got %v", err)
				}
				ev := b.await(t, remote.MemberDown, a.ID())
				if !errors.Is(ev.Reason, remote.ErrOverloaded) {
					t.Errorf("got %v", ev.Reason)
				}
				return
			}
		}
		t.Error("10000 signals were taken")
	})
}

func TestWhatWasNotConfirmedIsCountedWhenANodeIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		lost := make(chan remote.NodeLost, 1)
		defer h[1].Observe(func(ev remote.Event) {
			if l, ok := ev.(remote.NodeLost); ok {
				lost <- l
			}
		})()
		w.net.Partition("a", "b")
		for range 7 {
			if err := h[1].sys.Send(pid, Add{1}); err != nil {
				t.Fatal(err)
			}
		}
		l := <-lost
		if l.Node != h[0].ID() || l.Unconfirmed != 7 || !errors.Is(l.Reason, overlay.ErrSilent) {
			t.Errorf("got %+v", l)
		}
		if n := h[1].Stats().Unconfirmed; n != 7 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestSendersOfOnePairKeepTheirOrderUnderLoad(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		checkOrder(t, h[0], h[1])
	})
}

// checkOrder sends 100,000 messages and checks that they arrive in order.
func checkOrder(t *testing.T, to, from *host) {
	const count = 100000
	var mu sync.Mutex
	seen := make([]int, 0, count)
	pid := to.spawn(t, &counter{mu: &mu, seen: &seen})
	for i := range count {
		if err := from.sys.Send(pid, Add{i}); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := actor.Call[int](ctx, from.sys, pid, Get{}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != count {
		t.Fatalf("%d messages came", len(seen))
	}
	for i, n := range seen {
		if n != i {
			t.Fatalf("message %d came as the %dth", n, i)
		}
	}
}

func TestMessageQueuedBeforeTheOtherSidesLimitWasKnownIsRefusedLater(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		small := w.config("a")
		small.MaxMessage = 64 << 10
		a := start(t, small)
		var l log
		pid := a.spawn(t, l.actor())
		b := w.start("b")
		// Nothing is known of a yet: see TestPIDOfUnknownNodeMakesItKnown. Nor
		// will be while messages are sent, since that takes no time.
		w.net.SetLatency(time.Millisecond)
		if err := b.sys.Send(pid, Add{1}); err != nil {
			t.Fatal(err)
		}
		if err := b.sys.Send(pid, make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
		if err := b.sys.Send(pid, Add{2}); err != nil {
			t.Fatal(err)
		}
		if _, err := actor.Call[int](t.Context(), b.sys, pid, make([]byte, 100<<10)); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
		if n, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); n != 3 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		if n := b.Stats().TooLarge; n != 2 {
			t.Errorf("%d counted", n)
		}
	})
}
