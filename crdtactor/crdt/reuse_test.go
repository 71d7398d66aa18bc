package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestDeltaThatIsGivenBackIsZeroAndMakesTheNextOne(t *testing.T) {
	var c crdt.PNCounter
	c.Add("b", 5)
	first := c.Add("a", 1)
	c.Reuse(first)
	if !first.IsZero() {
		t.Error("what was given back still says something")
	}
	second := c.Add("a", -3)
	third := c.Add("a", 1)
	if second != first || third == first {
		t.Error("made anew, or used twice")
	}
	if second.Value() != -2 || third.Value() != -1 || c.Value() != 4 {
		t.Error(second.Value(), third.Value(), c.Value())
	}
	var joined crdt.PNCounter
	if joined.Join(second); !joined.Equal(second) || joined.Clone().Value() != -2 {
		t.Error("a delta in used memory is not like others")
	}
}

func TestNothingButADeltaOfOneShareIsReused(t *testing.T) {
	var c crdt.GCounter
	one := c.Add("a", 1)
	c.Reuse(&c) // its own state
	if c.Value() != 1 {
		t.Fatal("the state is gone")
	}
	several := c.Clone()
	several.Join(new(crdt.GCounter))
	several.Add("b", 1)
	several.Add("c", 1)
	c.Reuse(several)
	if several.Value() != 3 {
		t.Error("several shares were taken for a delta of Add")
	}
	c.Reuse(new(crdt.GCounter))
	if next := c.Add("a", 1); next.Value() != 2 || one.Value() != 1 {
		t.Error(next.Value(), one.Value())
	}
}

func TestDeltaInUsedMemoryIsNotUsedAgainBeforeItIsGivenBack(t *testing.T) {
	var c crdt.GCounter
	c.Add("b", 5)
	first := c.Add("a", 1)
	c.Reuse(first)
	second := c.Add("a", 2)
	third := c.Add("a", 1)
	if second != first || third == first || second.Value() != 3 || third.Value() != 4 || c.Value() != 9 {
		t.Error(second.Value(), third.Value(), c.Value())
	}
}
