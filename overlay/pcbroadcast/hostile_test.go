package pcbroadcast

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// hostile draws events that may or may not make sense.
type hostile struct {
	rng  *rand.Rand
	core *Core[int]
}

func (h hostile) node() overlay.Node {
	switch h.rng.IntN(30) {
	case 0:
		return overlay.Node{}
	case 1:
		return h.core.cfg.Self
	}
	return overlay.Node{Name: fmt.Sprintf("n%d@n", h.rng.IntN(7)), Boot: 1 + h.rng.Uint64N(2)}
}

func (h hostile) number() uint64 {
	if h.rng.IntN(20) == 0 {
		return h.rng.Uint64()
	}
	return h.rng.Uint64N(12)
}

func (h hostile) marks() (marks []Mark) {
	for range h.rng.IntN(4) {
		marks = append(marks, Mark{h.node(), h.number()})
	}
	return marks
}

func (h hostile) body() Body {
	switch h.rng.IntN(11) {
	case 0:
		return Hello{h.number(), h.number()}
	case 1:
		return Skip{h.marks()}
	case 2:
		return Ping{h.node(), h.node(), h.number(), h.rng.IntN(1<<18) - 5}
	case 3, 4:
		return Open{h.number(), h.marks(), h.rng.IntN(2) == 0}
	case 5:
		return []Body{Shut{}, nil, Data[string]{}}[h.rng.IntN(3)]
	case 6:
		return Refuse{h.number(), h.rng.IntN(2) == 0}
	case 7:
		return Ask{h.number(), h.marks()}
	case 8:
		return Pong{h.core.pings - h.rng.Uint64N(3)}
	case 9:
		return Adopt{}
	}
	return Data[int]{h.node(), h.number(), h.rng.Int()}
}

func (h hostile) event() Event {
	switch h.rng.IntN(12) {
	case 0:
		return LinkUp{h.node()}
	case 1:
		return LinkDown{h.node()}
	case 2, 3:
		return Broadcast[int]{h.rng.Int()}
	case 4:
		return []Event{nil, Broadcast[string]{}}[h.rng.IntN(2)]
	}
	m := Message{Link: h.number(), Body: h.body()}
	from := h.node()
	if l := h.core.link(from); l != nil && h.rng.IntN(4) > 0 {
		m.Link = l.mine
	}
	return Received{from, m}
}

func TestArbitraryEventsKeepTheInvariants(t *testing.T) {
	seen := make(map[string]int)
	for seed := range uint64(300) {
		core, err := New[int](Config{
			Self: overlay.Node{Name: "n0@n", Boot: 1}, MaxBuffer: 4, MaxLinks: 5, MaxOrigins: 2 + int(seed%6), MaxPings: 3,
			Rounds: 2, Forget: 20 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		h := hostile{rand.New(rand.NewPCG(seed, 3)), core}
		now := start
		for i := range 400 {
			now = now.Add(time.Duration(h.rng.IntN(400)) * time.Millisecond)
			var effects Effects
			if due := core.Deadline(); !due.IsZero() && !due.After(now) {
				effects = core.Tick(now)
				if due := core.Deadline(); !due.IsZero() && !due.After(now) {
					t.Fatalf("seed %d, step %d: due at %v, now %v", seed, i, due, now)
				}
			}
			effects = append(effects, core.Step(now, h.event())...)
			for _, e := range effects {
				seen[fmt.Sprintf("%T", e)]++
				if s, ok := e.(Send); ok {
					seen[fmt.Sprintf("%T", s.Message.Body)]++
				}
			}
			if err := core.valid(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
	for _, e := range []any{
		Deliver[int]{}, Gap{}, Safe{}, Unsafe{}, Adopted{}, Full{},
		Data[int]{}, Skip{}, Ping{}, Hello{}, Open{}, Shut{}, Refuse{}, Ask{}, Pong{}, Adopt{},
	} {
		if seen[fmt.Sprintf("%T", e)] == 0 {
			t.Errorf("%T never happened", e)
		}
	}
}
