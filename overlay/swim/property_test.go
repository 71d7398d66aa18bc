package swim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/overlay"
)

// told is one core that is told things at random.
type told struct {
	core   *Core
	now    time.Time
	states map[overlay.Node]State // as its effects have them
}

func somebody(t *rapid.T) overlay.Node {
	i := rapid.IntRange(0, 8).Draw(t, "node")
	if i == 8 {
		return overlay.Node{}
	}
	return overlay.Node{Name: fmt.Sprintf("n%d@n", i), Boot: 1} // n0 is the core's
}

// number is one that is likely to matter: an open one, or a small one.
func (c *told) number(t *rapid.T) uint64 {
	n := rapid.Uint64Range(0, 6).Draw(t, "number")
	switch {
	case n < 4:
		return c.core.seq - min(n, c.core.seq)
	case n == 4 && len(c.core.probes) > 0:
		return c.core.probes[0].seq
	case n == 5 && len(c.core.relays) > 0:
		return c.core.relays[0].seq
	}
	return math.MaxUint64
}

func fact(t *rapid.T) Fact {
	f := Fact{State: State(rapid.IntRange(0, 4).Draw(t, "state")), Node: somebody(t), By: somebody(t), Refused: rapid.Bool().Draw(t, "refused")}
	f.Incarnation = rapid.SampledFrom([]uint64{0, 0, 1, 1, 2, 3, 1025, math.MaxUint64}).Draw(t, "incarnation")
	return f
}

func (c *told) message(t *rapid.T) Message {
	m := Message{Incarnation: rapid.SampledFrom([]uint64{0, 0, 1, 2, math.MaxUint64}).Draw(t, "own")}
	for range rapid.IntRange(0, 6).Draw(t, "facts") {
		m.Facts = append(m.Facts, fact(t))
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		m.Body = Ping{c.number(t)}
	case 1:
		m.Body = Ack{c.number(t)}
	case 2:
		m.Body = PingReq{c.number(t), somebody(t), rapid.Bool().Draw(t, "reset")}
	case 3:
		m.Body = Nack{c.number(t), rapid.Bool().Draw(t, "refused")}
	case 4:
		m.Body = Gossip{}
	}
	return m
}

// check follows what the effects say, which must fit together.
func (c *told) check(t *rapid.T, effects Effects) {
	change := func(n overlay.Node, to State, from ...State) {
		was := c.states[n]
		for _, s := range from {
			if was == s {
				c.states[n] = to
				return
			}
		}
		t.Fatalf("%v becomes %v, but was %v", n, to, was)
	}
	for _, e := range effects {
		switch e := e.(type) {
		case Suspected:
			change(e.Node, Suspect, Alive)
		case Trusted:
			change(e.Node, Alive, Suspect)
		case Failed:
			change(e.Node, Confirm, Alive, Suspect)
		case Returned:
			change(e.Node, Alive, Confirm)
		case Send:
			if e.To.IsZero() || e.To == c.core.cfg.Self {
				t.Fatalf("sends to %v", e.To)
			}
			if len(e.Message.Facts) > c.core.cfg.MaxFacts {
				t.Fatalf("sends %d facts", len(e.Message.Facts))
			}
			for _, f := range e.Message.Facts {
				if !f.valid() {
					t.Fatalf("sends %+v", f)
				}
			}
		}
	}
	for n, s := range c.states {
		if state, ok := c.core.State(n); !ok || state != s {
			t.Fatalf("%v is %v (%v), and %v by the effects", n, state, ok, s)
		}
	}
	if err := c.core.valid(); err != nil {
		t.Fatal(err)
	}
	if due := c.core.Deadline(); due.IsZero() != (c.core.members.count() == 0) && len(c.core.suspicions)+len(c.core.probes) > 0 {
		t.Fatalf("due at %v", due)
	}
}

func (c *told) actions() map[string]func(*rapid.T) {
	step := func(t *rapid.T, ev Event) { c.check(t, c.core.Step(c.now, ev)) }
	received := func(t *rapid.T) { step(t, Received{somebody(t), c.message(t)}) }
	tick := func(t *rapid.T, d time.Duration) {
		c.now = c.now.Add(d)
		c.check(t, c.core.Tick(c.now))
		if due := c.core.Deadline(); !due.IsZero() && !due.After(c.now) {
			t.Fatalf("due at %v, now %v", due, c.now)
		}
	}
	return map[string]func(*rapid.T){
		"watch": func(t *rapid.T) {
			n := somebody(t)
			effects := c.core.Step(c.now, Watch{n})
			if _, ok := c.core.State(n); ok && c.states[n] == 0 {
				c.states[n] = Alive
			}
			c.check(t, effects)
		},
		"unwatch": func(t *rapid.T) {
			n := somebody(t)
			delete(c.states, n)
			step(t, Unwatch{n, rapid.Bool().Draw(t, "crashed")})
		},
		"reset":     func(t *rapid.T) { step(t, LinkReset{somebody(t), rapid.Bool().Draw(t, "refused")}) },
		"near":      func(t *rapid.T) { step(t, Near{somebody(t)}) },
		"far":       func(t *rapid.T) { step(t, Far{somebody(t)}) },
		"seen":      func(t *rapid.T) { c.core.Seen(somebody(t)) },
		"heard":     func(t *rapid.T) { step(t, Heard{fact(t)}) },
		"nothing":   func(t *rapid.T) { step(t, nil) },
		"received":  received,
		"received2": received,
		"received3": received,
		"due": func(t *rapid.T) {
			if due := c.core.Deadline(); due.After(c.now) {
				tick(t, due.Sub(c.now))
			}
		},
		"tick": func(t *rapid.T) { tick(t, time.Duration(rapid.IntRange(-20, 900).Draw(t, "ms"))*time.Millisecond) },
	}
}

func TestAnyEventsKeepTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		core, err := New(Config{
			Self: overlay.Node{Name: "n0@n", Boot: 1}, Rand: rand.New(rand.NewPCG(1, 1)),
			MaxFacts: 3, MaxRumors: 4, MaxMembers: 6, MaxRelays: 2, MaxChecks: 2, MaxHealth: 2, Suspicion: 2,
			Twice: rapid.Bool().Draw(t, "twice"), Discreet: rapid.Bool().Draw(t, "discreet"), Crowd: rapid.IntRange(1, 8).Draw(t, "crowd"),
			Stride: rapid.SampledFrom([]int{0, 2}).Draw(t, "stride"),
			Plain:  rapid.Bool().Draw(t, "plain"), Fanout: rapid.SampledFrom([]int{0, -1}).Draw(t, "fanout"),
		})
		if err != nil {
			t.Fatal(err)
		}
		c := &told{core, epoch, make(map[overlay.Node]State)}
		for i := range 4 {
			n := overlay.Node{Name: fmt.Sprintf("n%d@n", i+1), Boot: 1}
			core.Step(c.now, Watch{n})
			c.states[n] = Alive
		}
		t.Repeat(c.actions())
	})
}

// naive is the table without its clever parts.
func TestOrderOfTurnsAgreesWithANaiveList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		tab := table{pool: overlay.NodesApart()}
		naive := make(map[overlay.Node]bool)
		seen := make(map[overlay.Node]bool) // in this pass, of those that were there when it began
		var began map[overlay.Node]bool
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n := overlay.Node{Name: fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "n"))}
				if !naive[n] {
					naive[n] = true
					tab.add(n, rng)
				}
			},
			"remove": func(t *rapid.T) {
				n := overlay.Node{Name: fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "n"))}
				if i := tab.find(n); (i != nobody) != naive[n] {
					t.Fatalf("%v: %d", n, i)
				} else if i != nobody {
					tab.remove(i)
					delete(naive, n)
					delete(began, n)
				}
			},
			"turn": func(t *rapid.T) {
				if tab.next >= len(tab.order) { // a pass is over
					for n := range began {
						if !seen[n] {
							t.Fatalf("%v had no turn", n)
						}
					}
					began, seen = make(map[overlay.Node]bool), make(map[overlay.Node]bool)
					for n := range naive {
						began[n] = true
					}
				}
				if i := tab.turn(rng); i != nobody {
					seen[tab.node(i)] = true
				} else if len(naive) > 0 {
					t.Fatal("nobody's turn")
				}
			},
		})
	})
}
