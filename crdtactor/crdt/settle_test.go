package crdt_test

import (
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// before returns what says that the replicas of a lineage before start are lost.
func before(lineage string, start uint64) func(string, uint64) bool {
	return func(l string, s uint64) bool { return l == lineage && s < start }
}

func TestSettlingIsUnseenAndLeavesOneEntry(t *testing.T) {
	c := new(crdt.PNCounter)
	for life := range uint64(50) {
		c.Add(crdt.Incarnation("gone", life), 3)
		c.Add(crdt.Incarnation("gone", life), -1)
		c.Add(crdt.Incarnation("other", life), 1)
	}
	c.Add(crdt.Incarnation("here", 1), 7)
	size := len(encoded(t, c))
	delta := c.Settle(before("gone", 50))
	if c.Value() != 157 || delta.Value() != 100 {
		t.Errorf("after settling there are %d, %d of them in the past", c.Value(), delta.Value())
	}
	if !c.Settle(before("gone", 50)).IsZero() || c.Strip(before("gone", 50)) {
		t.Error("there was more to settle")
	}
	c.Settle(before("other", 50))
	if now := len(encoded(t, c)); c.Value() != 157 || now > size/10 {
		t.Errorf("settled it shows %d in %d bytes, before it took %d", c.Value(), now, size)
	}
	if err := crdt.Invariants(c); err != nil {
		t.Error(err)
	}
}

// TestPastsThatAreEachFurtherInOneTotalAreJoined has two copies that have both
// missed something, so that no one number says which past is further.
func TestPastsThatAreEachFurtherInOneTotalAreJoined(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		all := new(crdt.PNCounter)
		copies := []*crdt.PNCounter{new(crdt.PNCounter), new(crdt.PNCounter), all}
		for _, name := range []string{"x", "y", "z"} {
			for range 5 {
				delta := all.Add(crdt.Incarnation(name, r.Uint64N(3)), r.Int64N(9)-4)
				copies[r.IntN(2)].Join(delta)
			}
		}
		want := all.Value()
		for _, name := range []string{"x", "y", "z"} {
			for _, c := range copies {
				c.Settle(before(name, 3))
			}
			requireDigestLaw(t, foldable[*crdt.PNCounter]{zero: func() *crdt.PNCounter { return new(crdt.PNCounter) }}, copies[0], copies[1])
			requireDigestLaw(t, foldable[*crdt.PNCounter]{zero: func() *crdt.PNCounter { return new(crdt.PNCounter) }}, copies[1], copies[2])
		}
		for _, c := range copies[:2] {
			if c.Join(all); c.Value() != want || !c.Equal(all) {
				t.Fatalf("schedule %d: %d after joining one that has missed nothing, not %d", seed, c.Value(), want)
			}
		}
	}
}

func TestStrippedReplicaIsGoneWithItsCount(t *testing.T) {
	c := new(crdt.GCounter)
	c.Add(crdt.Incarnation("gone", 1), 3)
	c.Add(crdt.Incarnation("gone", 2), 4)
	c.Add("no lineage", 5)
	if !c.Strip(before("gone", 2)) || c.Value() != 9 {
		t.Errorf("there are %d", c.Value())
	}
	var lives []uint64
	for _, start := range c.Lives() {
		lives = append(lives, start)
	}
	if len(lives) != 1 || lives[0] != 2 {
		t.Errorf("the starts of those left are %v", lives)
	}
	if past := c.Settle(before("gone", 9)); past.Value() != 4 || c.Value() != 9 {
		t.Errorf("%d settled, of %d", past.Value(), c.Value())
	}
}

func TestNobodyCountsInTheNameOfThePast(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("counted")
		}
	}()
	new(crdt.PNCounter).Add("#", 1)
}
