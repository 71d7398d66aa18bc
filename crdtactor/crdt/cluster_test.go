package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

// subject is a type under test.
type subject[S crdt.State[S]] struct {
	zero func() S
	// act draws an operation, does it to the state and to the model, and
	// returns the delta and the facts the documentation says it carries.
	act func(t *rapid.T, s S, m *model) (S, facts)
	// show renders what readers of the state see.
	show func(S) string
	// want renders what the model says they must see.
	want func(*log, facts) string
}

// site is one replica of a simulated cluster, model and state side by side.
type site[S any] struct {
	model
	state S
}

// letter is a delta under way and the facts it carries.
type letter struct {
	data    []byte
	carried facts
}

// cluster is replicas and a network that loses, doubles and reorders.
type cluster[S crdt.State[S]] struct {
	subject[S]
	log
	sites   []*site[S]
	letters []letter
	answers []S // deltas sent in answer to digests
}

func newCluster[S crdt.State[S]](sub subject[S], n int) *cluster[S] {
	c := &cluster[S]{subject: sub}
	for i := range n {
		c.sites = append(c.sites, &site[S]{
			model: model{&c.log, noFacts(), id(i), map[string]int{}},
			state: sub.zero(),
		})
	}
	return c
}

func (c *cluster[S]) draw(t *rapid.T) *site[S] {
	return c.sites[rapid.IntRange(0, len(c.sites)-1).Draw(t, "site")]
}

func (c *cluster[S]) post(t *rapid.T, delta S, carried facts) {
	c.letters = append(c.letters, letter{encoded(t, delta), carried})
}

// step does one random thing and returns the site it may have changed.
func (c *cluster[S]) step(t *rapid.T) *site[S] {
	at := c.draw(t)
	deed := rapid.IntRange(0, 9).Draw(t, "deed")
	if deed >= 4 && deed <= 7 && len(c.letters) == 0 {
		deed = 0
	}
	switch deed {
	default: // an operation
		delta, carried := c.act(t, at.state, &at.model)
		at.join(carried)
		c.post(t, delta, carried)
	case 4, 5, 6: // any letter arrives; it stays, and may arrive again or never
		l := c.letters[rapid.IntRange(0, len(c.letters)-1).Draw(t, "letter")]
		at.state.Join(c.decoded(t, l.data))
		at.join(l.carried)
	case 7: // two deltas travel as one
		a := c.letters[rapid.IntRange(0, len(c.letters)-1).Draw(t, "first")]
		b := c.letters[rapid.IntRange(0, len(c.letters)-1).Draw(t, "second")]
		both, carried := c.decoded(t, a.data), noFacts()
		both.Join(c.decoded(t, b.data))
		carried.join(a.carried)
		carried.join(b.carried)
		c.post(t, both, carried)
	case 8: // full state
		from := c.draw(t)
		at.state.Join(c.decoded(t, encoded(t, from.state)))
		at.join(from.facts)
	case 9: // anti-entropy by digest
		from := c.draw(t)
		if known, ok := any(at.state).(crdt.Digester[S]); ok {
			delta := any(from.state).(crdt.Digester[S]).DeltaSince(known.Digest())
			c.answers = append(c.answers, delta)
			at.state.Join(c.decoded(t, encoded(t, delta)))
			at.join(from.facts)
		}
	}
	return at
}

func (c *cluster[S]) decoded(t *rapid.T, data []byte) S {
	s := c.zero()
	if err := s.UnmarshalBinary(data); err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	return s
}

func encoded[S crdt.State[S]](t interface{ Fatalf(string, ...any) }, s S) []byte {
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatalf("encoding: %v", err)
	}
	return data
}

// require fails unless a site shows what the model says it must.
func (c *cluster[S]) require(t *rapid.T, s *site[S]) {
	if err := crdt.Invariants(s.state); err != nil {
		t.Fatalf("%s: %v", s.id, err)
	}
	if got, want := c.show(s.state), c.want(&c.log, s.facts); got != want {
		t.Fatalf("%s shows %q, the model %q", s.id, got, want)
	}
}

// settle joins every state into every other.
func (c *cluster[S]) settle() {
	first := c.sites[0]
	for range 2 {
		for _, s := range c.sites[1:] {
			first.state.Join(s.state)
			first.join(s.facts)
			s.state.Join(first.state)
			s.join(first.facts)
		}
	}
}

// followsItsOpLog checks random executions of up to five replicas against the
// model: after every step at the replica concerned, and in the end, when all
// have heard of everything, against the log's definition.
func followsItsOpLog[S crdt.State[S]](t *testing.T, sub subject[S]) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(sub, rapid.IntRange(2, 5).Draw(t, "sites"))
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			c.require(t, c.step(t))
		}
		c.settle()
		want := c.want(&c.log, c.outcome())
		for _, s := range c.sites {
			c.require(t, s)
			if got := c.show(s.state); got != want {
				t.Fatalf("in the end %s shows %q, the log says %q", s.id, got, want)
			}
			if !s.state.Equal(c.sites[0].state) {
				t.Fatalf("%s and %s differ after a full exchange", s.id, c.sites[0].id)
			}
		}
	})
}
