package remote_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

// numbered is a message with its place in a sequence.
type numbered struct {
	Key string
	N   int
	Pad []byte
}

// keeper checks that each sender's messages with a key come in their order.
type keeper struct {
	mu   sync.Mutex
	next map[string]int
	bad  []string
	all  int
}

func (k *keeper) Receive(_ *actor.Self, msg any) error {
	m := msg.(numbered)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil {
		k.next = make(map[string]int)
	}
	if k.next[m.Key] != m.N && len(k.bad) < 10 {
		k.bad = append(k.bad, fmt.Sprintf("%s: %d instead of %d", m.Key, m.N, k.next[m.Key]))
	}
	k.next[m.Key] = m.N + 1
	k.all++
	return nil
}

// Lanes come and go, connections break, large and small messages mix: each
// sequence keeps its order, and nothing is lost.
func TestOrderIsKeptWhileLanesComeGoAndBreak(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { bubble(t, func(t *testing.T, w *world) { orderIsKept(t, w, seed) }) })
	}
}

func orderIsKept(t *testing.T, w *world, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	cfg := w.config("a")
	cfg.Types = append(cfg.Types, codec.Types(numbered{})...)
	a := start(t, cfg)
	cfg = w.config("b", a)
	cfg.Types = append(cfg.Types, codec.Types(numbered{})...)
	cfg.Channels = []remote.Channel{{Name: "wide", MinLanes: 1, MaxLanes: 6, GrowBytes: 64 << 10, Idle: 3 * time.Second}}
	b := start(t, cfg)
	meet(t, a, b)
	w.net.SetLatency(3 * time.Millisecond)
	var keepers []*keeper
	var to []actor.PID
	for range 5 {
		k := new(keeper)
		keepers = append(keepers, k)
		to = append(to, a.spawn(t, k))
	}
	sent := make(map[string]int)
	want := make([]int, len(to))
	const n = 4000
	for i := range n {
		who := rng.IntN(len(to))
		key := fmt.Sprint("key", rng.IntN(20))
		place := fmt.Sprint(who, key)
		size := rng.IntN(200)
		if rng.IntN(40) == 0 {
			size = 10_000 + rng.IntN(300_000)
		}
		m := numbered{Key: key, N: sent[place], Pad: make([]byte, size)}
		if err := b.sys.Send(to[who], m, actor.Channel("wide"), actor.Key(key)); err != nil {
			t.Fatal(err)
		}
		sent[place]++
		want[who]++
		switch {
		case i%500 == 499:
			w.net.Cut("a", "b")
		case i%1300 == 1299:
			w.pass(time.Duration(rng.IntN(30)) * time.Second) // time to shrink
		case rng.IntN(20) == 0:
			w.pass(time.Duration(rng.IntN(30)) * time.Millisecond)
		}
	}
	w.pass(time.Minute)
	for i, k := range keepers {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.all != want[i] || len(k.bad) > 0 {
			t.Errorf("process %d got %d of %d; %v", i, k.all, want[i], k.bad)
		}
	}
	s := b.Stats()
	if s.LanesOpened == 0 || s.LanesClosed == 0 {
		t.Errorf("the test shows nothing: %d lanes opened, %d closed, %d shards moved", s.LanesOpened, s.LanesClosed, s.ShardsMoved)
	}
	t.Logf("%d lanes opened, %d closed, %d shards moved", s.LanesOpened, s.LanesClosed, s.ShardsMoved)
}

// What a process sent before it ended is there before its end is known, by
// whatever channel it came.
func TestEndOfAProcessWaitsForItsLastMessageOnEachChannel(t *testing.T) {
	for _, option := range []struct {
		name string
		opts []actor.SendOption
	}{
		{"another channel", []actor.SendOption{actor.Channel("slow")}},
		{"a key", []actor.SendOption{actor.Channel("slow"), actor.Key("k")}},
		{"unordered", []actor.SendOption{actor.Channel("slow"), actor.Unordered()}},
		{"a key on the default channel", []actor.SendOption{actor.Key("k")}},
	} {
		t.Run(option.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a, b := w.pairOn(remote.Channel{Name: "slow", MinLanes: 3})
				p := newProbe(false)
				watcher := a.spawn(t, p)
				talker := newProbe(false)
				pid := b.spawn(t, talker)
				a.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
				w.pass(time.Second)
				w.net.SetLatency(10 * time.Millisecond)
				for range 3 {
					b.do(t, pid, func(self *actor.Self) {
						for i := range 20 {
							if err := self.Send(watcher, make([]byte, 100_000+i), option.opts...); err != nil {
								t.Error(err)
							}
						}
					})
				}
				_ = b.sys.Exit(pid, errBroken)
				w.pass(5 * time.Second)
				if len(p.got) != 61 {
					t.Fatalf("%d messages", len(p.got))
				}
				for i := range 60 {
					if _, ok := (<-p.got).([]byte); !ok {
						t.Fatalf("the end is known before message %d", i)
					}
				}
				if down := next[actor.Down](t, p); down.Reason != errBroken {
					t.Errorf("got %v", down.Reason)
				}
			})
		})
	}
}

func TestUnorderedMessagesTakeTheLaneWithTheLeastToDo(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn(remote.Channel{Name: "wide", MinLanes: 4})
		var l log
		pid := a.spawn(t, l.actor())
		w.net.Partition("a", "b")
		const n = 400
		for i := range n {
			if err := b.sys.Send(pid, Add{i}, actor.Channel("wide"), actor.Unordered()); err != nil {
				t.Fatal(err)
			}
		}
		for _, lane := range b.Lanes() {
			if lane.Channel == "wide" && (lane.Frames < n/4-5 || lane.Frames > n/4+5) {
				t.Errorf("lane %d has %d of %d messages", lane.Lane, lane.Frames, n)
			}
		}
		w.net.Heal("a", "b")
		w.pass(time.Second)
		seen := l.read()
		slices.Sort(seen)
		if !slices.Equal(seen, upTo(n)) {
			t.Errorf("%d arrived", len(seen))
		}
	})
}
