package remote_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
)

// numbers notes the numbers that messages begin with.
type numbers struct {
	mu  sync.Mutex
	got []uint64
}

func (l *numbers) Receive(_ *actor.Self, msg any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, binary.BigEndian.Uint64(msg.([]byte)))
	return nil
}

func (l *numbers) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.got)
}

// More waits than one write takes, with a large message now and then.
func TestLargeMessagesKeepTheirPlaceInABacklog(t *testing.T) {
	a := start(t, config("a"))
	b := start(t, config("b", a.Addr()))
	meet(t, a, b)
	l := new(numbers)
	pid := a.spawn(t, l)
	const all = 50_000
	for i := range all {
		size := 400
		if i%1000 == 999 {
			size = 9000
		}
		m := make([]byte, size)
		binary.BigEndian.PutUint64(m, uint64(i))
		if err := b.sys.Send(pid, m); err != nil {
			t.Fatal(err)
		}
	}
	waitUntil(t, func() bool { return l.count() == all })
	if !slices.IsSorted(l.got) {
		t.Error("out of order")
	}
}

// A connection that takes a second for each hundred kilobytes is slow, and not
// stuck: it is not given up, so that nothing is sent again.
func TestSlowWayIsNoStandstill(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		const messages, size, rate = 16, 1 << 20, 100_000
		cfg := w.config("a")
		cfg.Heartbeat, cfg.Misses = 500*time.Millisecond, 1000
		a := start(t, cfg)
		cfg = w.config("b", a)
		cfg.Heartbeat, cfg.Misses = 500*time.Millisecond, 1000
		b := start(t, cfg)
		meet(t, a, b)
		var n atomic.Int64
		pid := a.spawn(t, actor.Func(func(*actor.Self, any) error { n.Add(1); return nil }))
		w.net.SetLink("b", "a", memory.Link{Latency: 5 * time.Millisecond, Bandwidth: rate})
		for range messages {
			if err := b.sys.Send(pid, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(messages*size/rate*time.Second + 10*time.Second)
		if n.Load() != messages {
			t.Errorf("%d of %d have come in the time that they take", n.Load(), messages)
		}
		for _, l := range b.Lanes() {
			if l.Channel == remote.DefaultChannel && l.Written > messages*size*101/100 {
				t.Errorf("%d bytes were written for %d", l.Written, messages*size)
			}
		}
	})
}

// The end of a process comes after its last message on channels, too, that keep
// back what may still be replaced or dropped.
func TestEndOfAProcessWaitsForWhatItsChannelKeepsBack(t *testing.T) {
	for _, ch := range []remote.Channel{{Name: "staged", Monotonic: true}, {Name: "staged", WhenFull: remote.DropOldest}} {
		bubble(t, func(t *testing.T, w *world) {
			a, b := w.pairOn(ch)
			p := newProbe(false)
			watcher, pid := a.spawn(t, p), b.spawn(t, newProbe(false))
			a.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
			w.pass(time.Second)
			w.net.SetLatency(10 * time.Millisecond)
			const all = 20
			b.do(t, pid, func(self *actor.Self) {
				for i := range all {
					if err := self.Send(watcher, make([]byte, 100_000), actor.Channel("staged"), actor.Key(fmt.Sprint(i))); err != nil {
						t.Error(err)
					}
				}
			})
			_ = b.sys.Exit(pid, errBroken)
			w.pass(5 * time.Second)
			if len(p.got) != all+1 {
				t.Fatalf("%d of %d have come", len(p.got), all+1)
			}
			for range all {
				if msg := <-p.got; fmt.Sprintf("%T", msg) == "actor.Down" {
					t.Error("the end comes before the last message")
				}
			}
		})
	}
}

// An exit that has to wait for more sequences than one frame can name.
func TestEndOfAProcessMayWaitForThousandsOfSequences(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		var wide []remote.Channel
		for i := range 20 {
			wide = append(wide, remote.Channel{Name: fmt.Sprintf("%0250d", i)})
		}
		a, b := w.pairOn(wide...)
		p := newProbe(false)
		watcher, sink, pid := a.spawn(t, p), a.spawn(t, &counter{}), b.spawn(t, newProbe(false))
		a.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		w.pass(time.Second)
		w.net.Partition("a", "b")
		for _, ch := range wide {
			for i := range 1500 {
				if err := b.sys.Send(sink, Add{1}, actor.Channel(ch.Name), actor.Key(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = b.sys.Exit(pid, errBroken)
		w.pass(time.Second)
		w.net.Heal("a", "b")
		w.pass(time.Minute)
		if bad := a.Stats().BadFrames; len(p.got) != 1 || bad != 0 {
			t.Errorf("%d ends are known, %d bad frames", len(p.got), bad)
		}
	})
}
