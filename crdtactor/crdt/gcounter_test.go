package crdt_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func gCounterSubject() subject[*crdt.GCounter] {
	return subject[*crdt.GCounter]{
		zero: func() *crdt.GCounter { return new(crdt.GCounter) },
		act: func(t *rapid.T, c *crdt.GCounter, m *model) (*crdt.GCounter, facts) {
			n := rapid.Int64Range(1, 9).Draw(t, "n")
			if rapid.Bool().Draw(t, "at once") {
				c.Accumulate(m.id, uint64(n))
				return c.Share(m.id), ownShare(m, n)
			}
			return c.Add(m.id, uint64(n)), ownShare(m, n)
		},
		show: func(c *crdt.GCounter) string { return strconv.FormatUint(c.Value(), 10) },
		want: wantTotal,
	}
}

func TestGCounterFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, gCounterSubject()) }
func TestGCounterKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, gCounterSubject()) }
func TestGCounterConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, gCounterSubject())
}
func FuzzGCounter(f *testing.F) { refusesHostileBytes(f, gCounterSubject()) }

func TestGCounterStopsAtItsLimitInsteadOfWrapping(t *testing.T) {
	var c crdt.GCounter
	if c.Add("a", 0); !c.IsZero() {
		t.Error("adding nothing left a trace")
	}
	c.Add("a", math.MaxUint64)
	c.Add("a", 1)
	if c.Value() != 1<<61-1 {
		t.Errorf("counts %d", c.Value())
	}
	for n := range 10 {
		c.Add(id(n), math.MaxUint64)
	}
	if c.Value() != math.MaxUint64 {
		t.Errorf("eleven replicas at the limit count %d", c.Value())
	}
}
