package crdt_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func tallySubject() subject[*crdt.Tally] {
	return subject[*crdt.Tally]{
		zero: func() *crdt.Tally { return new(crdt.Tally) },
		act:  actOnTally,
		show: func(c *crdt.Tally) string { return strconv.FormatInt(c.Value(), 10) },
		want: wantTotal,
	}
}

func actOnTally(t *rapid.T, c *crdt.Tally, m *model) (*crdt.Tally, facts) {
	switch rapid.IntRange(0, 5).Draw(t, "operation") {
	case 0:
		return c.Reset(m.id), m.reset(everything)
	case 1:
		return c.Compact(m.id), m.sweep()
	default:
		n := rapid.Int64Range(-5, 5).Draw(t, "n")
		if n == 0 {
			return c.Add(m.id, 0), noFacts()
		}
		return c.Add(m.id, n), m.count("", n)
	}
}

func TestTallyFollowsItsOpLog(t *testing.T)                    { followsItsOpLog(t, tallySubject()) }
func TestTallyKeepsTheLaws(t *testing.T)                       { keepsTheLaws(t, tallySubject()) }
func TestTallyConvergesEvenIfReplicaIDsAreReused(t *testing.T) { joinsAlienStates(t, tallySubject()) }
func FuzzTally(f *testing.F)                                   { refusesHostileBytes(f, tallySubject()) }

func TestTallyMayBeNegative(t *testing.T) {
	var a, b crdt.Tally
	a.Add("a", -3)
	b.Add("b", 1)
	a.Join(&b)
	if a.Value() != -2 {
		t.Errorf("counts %d", a.Value())
	}
}

func TestTallyThatWouldOverflowBeginsAnotherRun(t *testing.T) {
	var a, b crdt.Tally
	b.Join(a.Add("a", math.MaxInt64))
	b.Join(a.Add("a", 5))
	b.Join(a.Add("b", math.MinInt64))
	if a.Value() != 4 || b.Value() != 4 {
		t.Errorf("count %d and %d", a.Value(), b.Value())
	}
	for range 100 {
		b.Join(a.Add("a", 1))
	}
	if a.Value() != 104 || b.Value() != 104 {
		t.Errorf("count %d and %d", a.Value(), b.Value())
	}
	if data, _ := a.MarshalBinary(); len(data) > 60 {
		t.Errorf("%d bytes: the replica goes on beginning runs", len(data))
	}
	b.Reset("b")
	a.Add("a", 1)
	a.Join(&b)
	if a.Value() != 1 {
		t.Errorf("after a reset that did not see 1: %d", a.Value())
	}
}
