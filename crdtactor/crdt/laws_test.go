package crdt_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

// keepsTheLaws checks what [crdt.State] and [crdt.Digester] promise, on states
// and deltas from the midst of random executions.
func keepsTheLaws[S crdt.State[S]](t *testing.T, sub subject[S]) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(sub, 3)
		states := c.someStates(t)
		draw := func(label string) S {
			return states[rapid.IntRange(0, len(states)-1).Draw(t, label)].Clone()
		}
		x, y, z := draw("x"), draw("y"), draw("z")
		joinIsALattice(t, x, y, z)
		joinTellsWhetherItChanged(t, x, y)
		nothingIsShared(t, c, x, y)
		encodingIsFaithful(t, c, x)
		digestFindsExactlyWhatIsMissing(t, c, x, y)
		at := c.draw(t)
		deltaStandsForTheChange(t, c, at, x)
	})
}

// joinsAlienStates checks that states which use the same replica ids for
// different updates, as they never should, still converge.
func joinsAlienStates[S crdt.State[S]](t *testing.T, sub subject[S]) {
	rapid.Check(t, func(t *rapid.T) {
		var drawn []S
		for _, label := range []string{"x", "y", "z"} {
			states := newCluster(sub, 2).someStates(t)
			drawn = append(drawn, states[rapid.IntRange(0, len(states)-1).Draw(t, label)])
		}
		joinIsALattice(t, drawn[0], drawn[1], drawn[2])
		all := joined(joined(drawn[0], drawn[1]), drawn[2])
		encodingIsFaithful(t, newCluster(sub, 1), all)
	})
}

// someStates runs the cluster for a while and returns the states and deltas
// that came about.
func (c *cluster[S]) someStates(t *rapid.T) []S {
	for range rapid.IntRange(5, 40).Draw(t, "steps") {
		c.step(t)
	}
	states := []S{c.zero()}
	for _, s := range c.sites {
		states = append(states, s.state)
	}
	for _, l := range c.letters {
		states = append(states, c.decoded(t, l.data))
	}
	return append(states, c.answers...)
}

func joined[S crdt.State[S]](a, b S) S {
	c := a.Clone()
	c.Join(b)
	return c
}

func mustEqual[S crdt.State[S]](t *rapid.T, law string, a, b S) {
	t.Helper()
	if err := errors.Join(crdt.Invariants(a), crdt.Invariants(b)); err != nil {
		t.Fatalf("%s: %v", law, err)
	}
	if !a.Equal(b) || !b.Equal(a) {
		t.Fatalf("%s: not equal", law)
	}
	if !bytes.Equal(encoded(t, a), encoded(t, b)) {
		t.Fatalf("%s: equal states have different encodings", law)
	}
}

func joinIsALattice[S crdt.State[S]](t *rapid.T, x, y, z S) {
	mustEqual(t, "commutative", joined(x, y), joined(y, x))
	mustEqual(t, "associative", joined(joined(x, y), z), joined(x, joined(y, z)))
	mustEqual(t, "idempotent", joined(x, x), x)
	mustEqual(t, "absorbing", joined(joined(x, y), y), joined(x, y))
	self := x.Clone()
	if self.Join(self) {
		t.Fatalf("a state joined into itself reports a change")
	}
	mustEqual(t, "joined into itself", self, x)
}

func joinTellsWhetherItChanged[S crdt.State[S]](t *rapid.T, x, y S) {
	before := x.Clone()
	if changed := x.Join(y); changed == x.Equal(before) {
		t.Fatalf("join reports %v", changed)
	}
	if x.Join(y) || x.Join(before) {
		t.Fatalf("joining what is known already reports a change")
	}
	var none S
	if x.Join(none) {
		t.Fatalf("joining nil reports a change")
	}
}

// nothingIsShared changes a state that others were joined into or cloned from,
// and looks whether they noticed.
func nothingIsShared[S crdt.State[S]](t *rapid.T, c *cluster[S], x, y S) {
	before := encoded(t, y)
	both, clone := joined(x, y), y.Clone()
	for n := range 4 {
		scratch := model{&log{}, noFacts(), id(n), map[string]int{}}
		c.act(t, both, &scratch)
		c.act(t, clone, &scratch)
	}
	if !bytes.Equal(encoded(t, y), before) {
		t.Fatalf("changing a copy changed the original")
	}
}

func encodingIsFaithful[S crdt.State[S]](t *rapid.T, c *cluster[S], x S) {
	data := encoded(t, x)
	decoded := c.decoded(t, data)
	mustEqual(t, "decoded", decoded, x)
	for i := range data {
		data[i] = 0xff // the decoded state must not depend on the buffer
	}
	mustEqual(t, "decoded, after the buffer was used again", decoded, x)
	if zero, ok := any(x).(interface{ IsZero() bool }); !ok || zero.IsZero() != x.Equal(c.zero()) {
		t.Fatalf("IsZero is wrong")
	}
}

func digestFindsExactlyWhatIsMissing[S crdt.State[S]](t *rapid.T, c *cluster[S], x, y S) {
	mine, ok := any(x).(crdt.Digester[S])
	if !ok {
		return
	}
	theirs := any(y).(crdt.Digester[S])
	if mine.Digest().Equal(theirs.Digest()) != x.Equal(y) {
		t.Fatalf("equal digests of different states, or the reverse")
	}
	data, _ := mine.Digest().MarshalBinary()
	digest := new(crdt.Digest)
	if err := digest.UnmarshalBinary(data); err != nil || !digest.Equal(mine.Digest()) {
		t.Fatalf("digest does not survive its encoding: %v", err)
	}
	delta := c.decoded(t, encoded(t, theirs.DeltaSince(digest)))
	if y.Join(delta) {
		t.Fatalf("the delta knows more than the state it is of")
	}
	want := joined(x, y)
	if changed := x.Clone().Join(delta); changed == x.Equal(want) {
		t.Fatalf("joining the delta reports %v", changed)
	}
	mustEqual(t, "delta since digest", joined(x, delta), want)
	mustEqual(t, "delta since nothing", theirs.DeltaSince(nil), y)
}

// deltaStandsForTheChange does one operation and compares the delta with it,
// at the state itself and at another.
func deltaStandsForTheChange[S crdt.State[S]](t *rapid.T, c *cluster[S], at *site[S], other S) {
	before := at.state.Clone()
	delta, _ := c.act(t, at.state, &at.model)
	mustEqual(t, "delta joined to the state before", joined(before, delta), at.state)
	mustEqual(t, "delta joined elsewhere", joined(joined(other, before), delta), joined(other, at.state))
	if at.state.Join(delta) {
		t.Fatalf("the receiver did not know its own delta")
	}
}
