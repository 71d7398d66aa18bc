package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestSweepDropsWhatIsKeptForLostReplicasAndNothingElse(t *testing.T) {
	var a, b crdt.Cart
	for _, by := range []crdt.ReplicaID{"x#1", "x#2", "y#1"} {
		a.Join(b.Add(by, "removed "+string(by), 2))
		a.Join(b.Add(by, "kept "+string(by), 3))
	}
	for _, by := range []crdt.ReplicaID{"x#1", "x#2", "y#1"} {
		b.Join(a.Remove("a#1", "removed "+string(by)))
	}
	late := b.Clone().Add("x#2", "removed x#2", 1) // of which nobody has heard
	before, _ := a.MarshalBinary()
	delta := a.Sweep(func(lineage string, start uint64) bool { return lineage == "x" && start < 2 })
	after, _ := a.MarshalBinary()
	if n := len(before) - len(after); n < len("removed x#1") || n > len("removed x#1")+12 {
		t.Errorf("%d bytes are swept", n)
	}
	if !b.Join(delta) || !b.Equal(&a) {
		t.Error("the delta does not do the same elsewhere")
	}
	if again := a.Sweep(func(lineage string, start uint64) bool { return lineage == "x" && start < 2 }); !again.IsZero() {
		t.Error("there is more the second time")
	}
	if b.Join(late); b.Quantity("removed x#2") != 1 || b.Len() != 4 {
		t.Errorf("what was not swept has become %v", b.Quantity("removed x#2"))
	}
	if none := new(crdt.Cart).Sweep(func(string, uint64) bool { return true }); !none.IsZero() {
		t.Error("an empty cart has something to sweep")
	}
}
