package remote_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	gogotypes "github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// fates are what has become of messages, by their text.
type fates struct {
	mu      sync.Mutex
	handled map[string]int
	dead    map[string]int
	wrong   []string
}

func (f *fates) note(of map[string]int, msg any) string {
	var text string
	switch m := msg.(type) {
	case []byte:
		text = string(m)
	case *gogotypes.BytesValue:
		text = string(m.Value)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	of[text]++
	return text
}

// mortal handles so many messages, which must come in order, and ends.
type mortal struct {
	fates *fates
	life  int
	next  [2]int // by sender
}

func (m *mortal) Receive(_ *actor.Self, msg any) error {
	text := m.fates.note(m.fates.handled, msg)
	var from, n int
	if _, err := fmt.Sscanf(text, "%d %d", &from, &n); err != nil || n != m.next[from] {
		m.fates.mu.Lock()
		m.fates.wrong = append(m.fates.wrong, fmt.Sprintf("%q in the place of %d", text, m.next[from]))
		m.fates.mu.Unlock()
	}
	m.next[from] = n + 1
	if m.life--; m.life == 0 {
		return actor.ErrNormal
	}
	return nil
}

// Processes end in the middle of what has come together, and connections break:
// each message is handled once, or is a dead letter once.
func TestMessageOfManyIsHandledOrDeadButOnce(t *testing.T) {
	for seed := range uint64(4) {
		bubble(t, func(t *testing.T, w *world) { eachHasOneFate(t, w, rand.New(rand.NewPCG(seed, 3))) })
	}
}

func eachHasOneFate(t *testing.T, w *world, rng *rand.Rand) {
	b, a := w.pairOn(remote.Channel{Name: remote.DefaultChannel, MaxLanes: 3, GrowBytes: 32 << 10, Idle: 3 * time.Second})
	w.net.SetLatency(2 * time.Millisecond)
	f := &fates{handled: make(map[string]int), dead: make(map[string]int)}
	b.sys.Observe(func(ev actor.Event) {
		if d, ok := ev.(actor.DeadLetter); ok {
			f.note(f.dead, d.Message)
		}
	})
	boxes := [][]actor.SpawnOption{nil, nil, {actor.Mailbox{Capacity: 5, Overflow: actor.OverflowBlock}}}
	var from, to []actor.PID
	for range 2 {
		from = append(from, a.spawn(t, actor.Func(func(self *actor.Self, f any) error { f.(func(*actor.Self))(self); return nil })))
	}
	for i := range 6 {
		to = append(to, b.spawn(t, &mortal{fates: f, life: 1 + rng.IntN(1500)}, boxes[i%3]...))
	}
	sent := make(map[string]bool)
	var counts [6][2]int
	for range 400 {
		who, burst := rng.IntN(2), 1+rng.IntN(60)
		a.do(t, from[who], func(self *actor.Self) {
			r := rng.IntN(6)
			for range burst {
				if rng.IntN(6) == 0 {
					r = rng.IntN(6)
				}
				text := fmt.Sprintf("%d %d of %d %*d", who, counts[r][who], r, rng.IntN(40), 0)
				counts[r][who]++
				sent[text] = true
				var msg any = []byte(text)
				if rng.IntN(4) > 0 {
					msg = &gogotypes.BytesValue{Value: []byte(text)}
				}
				if err := self.Send(to[r], msg); err != nil {
					t.Error(err)
				}
			}
		})
		switch {
		case rng.IntN(30) == 0:
			w.net.Cut("a", "b")
		case rng.IntN(8) == 0:
			w.pass(time.Duration(rng.IntN(10)) * time.Millisecond)
		}
	}
	w.pass(time.Minute)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.wrong) > 0 {
		t.Errorf("out of order: %.3q", f.wrong)
	}
	for text := range sent {
		if n, dead := f.handled[text], f.dead[text]; n+dead != 1 {
			t.Errorf("%q is handled %d times and dead %d times", text, n, dead)
		}
	}
	if len(f.handled)+len(f.dead) != len(sent) || len(f.dead) == 0 {
		t.Errorf("%d handled and %d dead of %d", len(f.handled), len(f.dead), len(sent))
	}
}
