package remote_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// stopped handles messages once it is let.
type stopped struct {
	let     chan struct{}
	handled atomic.Int64
}

func (s *stopped) Receive(self *actor.Self, msg any) error {
	<-s.let
	if _, ok := msg.(Get); ok {
		return self.Reply(int(s.handled.Load()))
	}
	s.handled.Add(1)
	return nil
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// 10 GB are sent to a process that does not handle its mail. Memory stays within
// the budget and the queue, and others on the same lane go on.
func TestFloodToAStoppedReceiverIsBounded(t *testing.T) {
	a := start(t, config("a"))
	cfg := config("b", a.Addr())
	cfg.Channels = []remote.Channel{{Name: remote.DefaultChannel, WhenFull: remote.Fail}}
	b := start(t, cfg)
	meet(t, a, b)
	s := &stopped{let: make(chan struct{})}
	let := sync.OnceFunc(func() { close(s.let) })
	t.Cleanup(let)
	pid, other := a.spawn(t, s), a.spawn(t, &counter{n: 1})
	if n, err := actor.Call[int](t.Context(), b.sys, other, Get{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	before := heap()
	piece := make([]byte, 1<<20)
	accepted, refused, peak := 0, 0, 0
	for i := range 10 << 10 {
		switch err := b.sys.Send(pid, piece); {
		case err == nil:
			accepted++
		case errors.Is(err, remote.ErrQueueFull):
			if refused++; b.Stats().Throttled == 0 {
				<-time.After(time.Millisecond) // the queue is full, the receiver not yet
			}
		default:
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if peak = max(peak, heap()-before); peak > 400<<20 {
				t.Fatalf("%d MiB are taken", peak>>20)
			}
			begun := time.Now()
			waitUntil(t, func() bool { // there may be no room in the queue for a moment
				n, err := actor.Call[int](t.Context(), b.sys, other, Get{})
				if err != nil && !errors.Is(err, remote.ErrQueueFull) {
					t.Fatalf("another process: %v", err)
				}
				return n == 1
			})
			if took := time.Since(begun); took > time.Second {
				t.Errorf("another process answers after %v", took)
			}
		}
	}
	if b.Stats().Throttled == 0 || refused == 0 {
		t.Errorf("%d refused, %d throttled", refused, b.Stats().Throttled)
	}
	t.Logf("%d MiB accepted, %d refused; %d MiB taken at most", accepted, refused, peak>>20)
	let()
	// What was accepted is handled, and the receiver takes mail again.
	waitUntil(t, func() bool { return int(s.handled.Load()) == accepted })
	waitUntil(t, func() bool { return b.sys.Send(pid, piece) == nil })
}

// waitUntil waits for done, in real time.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("it does not happen")
		}
	}
}

func TestSenderToAStoppedReceiverWaitsAndLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		s := &stopped{let: make(chan struct{})}
		pid := a.spawn(t, s, actor.Name("slow"))
		time.AfterFunc(3*time.Second, func() { close(s.let) })
		begun := time.Now()
		const n = 300
		for i := range n {
			var to actor.Address = pid
			if i%2 == 0 {
				to = actor.NameAt{Name: "slow", Node: a.ID().Name}
			}
			if err := b.sys.Send(to, make([]byte, 1<<20)); err != nil {
				t.Fatalf("message %d after %v: %v", i, time.Since(begun), err)
			}
		}
		if waited := time.Since(begun); waited < 3*time.Second {
			t.Errorf("it took only %v", waited)
		}
		if got, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); got != n || err != nil {
			t.Errorf("%d handled, %v", got, err)
		}
	})
}

func TestFullMailboxThatBlocksHoldsUpItsSendersOnOtherNodes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		s := &stopped{let: make(chan struct{})}
		pid := a.spawn(t, s, actor.Mailbox{Capacity: 10, Overflow: actor.OverflowBlock, Wait: time.Minute})
		quick := a.spawn(t, &counter{n: 5})
		time.AfterFunc(3*time.Second, func() { close(s.let) })
		for range 30 {
			if err := b.sys.Send(pid, Add{1}); err != nil {
				t.Fatal(err)
			}
			w.pass(10 * time.Millisecond)
		}
		if n, err := actor.Call[int](t.Context(), b.sys, quick, Get{}); n != 5 || err != nil {
			t.Errorf("another process: %d, %v", n, err)
		}
		if got, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); got != 30 || err != nil {
			t.Errorf("%d handled, %v", got, err)
		}
	})
}
