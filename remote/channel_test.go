package remote_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// log is a process that writes down the numbers it is sent.
type log struct {
	mu   sync.Mutex
	seen []int
}

func (l *log) actor() actor.Actor { return &counter{mu: &l.mu, seen: &l.seen} }

func (l *log) read() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// pairOn starts two nodes that have met; b has the given channels.
func (w *world) pairOn(channels ...remote.Channel) (a, b *host) {
	a = w.start("a")
	cfg := w.config("b", a)
	cfg.Channels, cfg.Misses = channels, 1000
	b = start(w.T, cfg)
	meet(w.T, a, b)
	return a, b
}

func TestSenderWaitsForRoomAndNothingIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "narrow", QueueBytes: 64 << 10})
		var l log
		pid := a.spawn(t, l.actor())
		w.net.Partition("a", "b")
		time.AfterFunc(2*time.Second, func() { w.net.Heal("a", "b") })
		begun := time.Now()
		const n = 5000
		for i := range n {
			if err := b.sys.Send(pid, Add{i}, actor.Channel("narrow")); err != nil {
				t.Fatalf("message %d after %v: %v", i, time.Since(begun), err)
			}
		}
		if waited := time.Since(begun); waited < 2*time.Second || waited > 4*time.Second {
			t.Errorf("it took %v", waited)
		}
		w.pass(time.Second)
		seen := l.read()
		if len(seen) != n || !slices.IsSorted(seen) {
			t.Errorf("%d of %d arrived", len(seen), n)
		}
	})
}

func TestSenderWaitsNoLongerThanTheChannelSays(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "narrow", QueueBytes: 64 << 10, Wait: 3 * time.Second})
		pid := a.spawn(t, &counter{})
		w.net.Partition("a", "b")
		begun := time.Now()
		var err error
		for err == nil {
			err = b.sys.Send(pid, Add{1}, actor.Channel("narrow"))
		}
		if waited := time.Since(begun); !errors.Is(err, remote.ErrQueueFull) || waited != 3*time.Second {
			t.Errorf("after %v: %v", waited, err)
		}
		// The queue of another channel is its own.
		if err := b.sys.Send(pid, Add{1}); err != nil {
			t.Error(err)
		}
		w.net.Heal("a", "b")
	})
}

func TestOldestMessagesMakeRoomForNewOnes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "lossy", QueueBytes: 256 << 10, WhenFull: remote.DropOldest})
		var l log
		pid := a.spawn(t, l.actor())
		dead := 0
		defer b.sys.Observe(func(ev actor.Event) {
			if d, ok := ev.(actor.DeadLetter); ok && errors.Is(d.Reason, remote.ErrQueueFull) {
				dead++
			}
		})()
		w.net.Partition("a", "b")
		const n = 20000
		for i := range n {
			if err := b.sys.Send(pid, Add{i}, actor.Channel("lossy")); err != nil {
				t.Fatal(err)
			}
		}
		w.net.Heal("a", "b")
		w.pass(time.Second)
		seen := l.read()
		dropped := int(b.Stats().Dropped)
		if !slices.IsSorted(seen) || len(seen)+dropped != n || dropped == 0 {
			t.Fatalf("%d arrived and %d were dropped of %d", len(seen), dropped, n)
		}
		if dead != dropped {
			t.Errorf("%d dead letters for %d dropped", dead, dropped)
		}
		if newest := seen[len(seen)-1000:]; newest[0] != n-1000 {
			t.Errorf("the newest 1000 begin with %d", newest[0])
		}
	})
}

func TestNewestMessageOfAKeyReplacesThoseThatWait(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "state", Monotonic: true})
		p := newProbe(false)
		pid := a.spawn(t, p)
		w.net.Partition("a", "b")
		big := strings.Repeat("x", 1000)
		for i := range 3000 {
			for _, key := range []string{"x", "y", "z"} {
				if err := b.sys.Send(pid, fmt.Sprint(key, " ", i, " ", big), actor.Channel("state"), actor.Key(key)); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.net.Heal("a", "b")
		w.pass(time.Second)
		last := make(map[string]int)
		arrived := len(p.got)
		for range arrived {
			var key string
			var i int
			if _, err := fmt.Sscanf((<-p.got).(string), "%s %d", &key, &i); err != nil {
				t.Fatal(err)
			}
			if i < last[key] {
				t.Errorf("%s went back from %d to %d", key, last[key], i)
			}
			last[key] = i
		}
		for key, i := range last {
			if i != 2999 {
				t.Errorf("the last %s is %d", key, i)
			}
		}
		if replaced := int(b.Stats().Replaced); arrived+replaced != 9000 || len(last) != 3 || arrived > 1000 {
			t.Errorf("%d arrived and %d were replaced", arrived, replaced)
		}
	})
}

func TestRequestsAreNeverReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "state", Monotonic: true, WhenFull: remote.DropOldest, QueueBytes: 1 << 20})
		pid := a.spawn(t, &counter{})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				_ = b.sys.Send(pid, make([]byte, 1000), actor.Channel("state"))
				if _, err := actor.Call[int](t.Context(), b.sys, pid, Get{}, actor.Channel("state")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestSendOverAChannelThatIsNotDeclaredFails(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "mine"})
		var l log
		onA, onB := a.spawn(t, l.actor()), b.spawn(t, &counter{})
		if err := b.sys.Send(onA, Add{1}, actor.Channel("mine")); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		if len(l.read()) != 1 {
			t.Error("a node must take what comes over a channel it does not know")
		}
		if err := a.sys.Send(onB, Add{1}, actor.Channel("mine")); !errors.Is(err, remote.ErrNoChannel) {
			t.Errorf("got %v", err)
		}
	})
}

func TestMistakesInChannelsAreReportedTogether(t *testing.T) {
	cfg := config("a")
	cfg.Channels = []remote.Channel{
		{Name: ""}, {Name: "twice"}, {Name: "twice"}, {Name: remote.MembershipChannel},
		{Name: "lanes", MinLanes: 3, MaxLanes: 2}, {Name: "many", MaxLanes: 1000},
		{Name: "negative", QueueBytes: -1}, {Name: "odd", Compression: 9}, {Name: "full", WhenFull: 9},
		{Name: remote.ControlChannel, Monotonic: true},
	}
	_, err := remote.New(cfg)
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{`""`, "twice", "membership", "lanes", "many", "negative", "odd", "full", "control"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("nothing of %q in %v", word, err)
		}
	}
}

func TestCompressedChannelWritesLess(t *testing.T) {
	for _, c := range []remote.Compression{remote.S2, remote.Zstd} {
		t.Run(c.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a, b := w.pairOn(remote.Channel{Name: "small", Compression: c})
				p := newProbe(false)
				pid := a.spawn(t, p)
				text := bytes.Repeat([]byte("all work and no play "), 5000)
				sent := 0
				for i := range 20 {
					if err := b.sys.Send(pid, text[i:], actor.Channel("small")); err != nil {
						t.Fatal(err)
					}
					sent += len(text) - i
					if i == 10 {
						w.pass(time.Second)
						w.net.Cut("a", "b") // it begins anew
					}
				}
				for i := range 20 {
					if got := next[[]byte](t, p); !bytes.Equal(got, text[i:]) {
						t.Fatalf("message %d was changed", i)
					}
				}
				for _, l := range b.Lanes() {
					if l.Channel == "small" && (l.Written == 0 || int(l.Written) > sent/5) {
						t.Errorf("%d bytes written for %d", l.Written, sent)
					}
				}
			})
		})
	}
}

func TestLaneWithoutUseClosesItsConnectionAndComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "rare", Idle: 5 * time.Second})
		var l log
		pid := a.spawn(t, l.actor())
		connected := func() bool {
			for _, lane := range b.Lanes() {
				if lane.Channel == "rare" {
					return lane.Connected
				}
			}
			return false
		}
		for i := range 3 {
			if err := b.sys.Send(pid, Add{i}, actor.Channel("rare")); err != nil {
				t.Fatal(err)
			}
			w.pass(3 * time.Second)
			if !connected() {
				t.Error("it was closed too early")
			}
			w.pass(5 * time.Second)
			if connected() {
				t.Error("it was not closed")
			}
		}
		if seen := l.read(); !slices.Equal(seen, []int{0, 1, 2}) {
			t.Errorf("arrived: %v", seen)
		}
		a.quiet(t)
		b.quiet(t)
	})
}

func TestChannelOfHigherPriorityGoesFirst(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "bulk", Priority: -1}, remote.Channel{Name: "urgent", Priority: 1})
		w.net.SetLatency(time.Millisecond)
		var l log
		pid := a.spawn(t, &sizes{&l})
		w.net.Partition("a", "b")
		const n = 64
		for range n {
			for _, m := range []struct {
				channel string
				size    int
			}{{"bulk", 100_001}, {"urgent", 100_000}} {
				if err := b.sys.Send(pid, make([]byte, m.size), actor.Channel(m.channel)); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.net.Heal("a", "b")
		w.pass(10 * time.Second)
		seen := l.read()
		if len(seen) != 2*n {
			t.Fatalf("%d arrived", len(seen))
		}
		before := 0
		for _, size := range seen {
			if size == 100_001 {
				before++
			} else if before > n/4 {
				t.Fatalf("%d of the bulk went before something urgent", before)
			}
		}
	})
}

// sizes writes down how long the payloads are.
type sizes struct{ log *log }

func (s *sizes) Receive(_ *actor.Self, msg any) error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.seen = append(s.log.seen, len(msg.([]byte)))
	return nil
}

func TestNodeShowsItsChannelsAndLanes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "x", MinLanes: 2})
		if err := b.sys.Send(a.spawn(t, &counter{}), Add{1}, actor.Channel("x")); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		var names []string
		for _, ch := range b.Channels() {
			names = append(names, ch.Name)
		}
		if want := []string{"control", "default", "membership", "post", "rpc", "x"}; !slices.Equal(names, want) {
			t.Errorf("channels %v", names)
		}
		found := false
		for _, l := range b.Lanes() {
			if l.Channel == "x" && l.Frames > 0 {
				found = l.Connected && l.Node == a.ID() && l.Frames == 1 && l.Unconfirmed == 0 && l.Waiting == 0
			}
		}
		if !found {
			t.Errorf("lanes %+v", b.Lanes())
		}
	})
}
