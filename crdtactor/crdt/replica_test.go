package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestReusedReplicaIDLosesUpdatesButNeverDiverges(t *testing.T) {
	before := new(crdt.Cart)
	before.Add("a", "tea", 5)
	before.Add("a", "milk", 1)
	// The node restarts without its memory and goes on under its old id.
	after := new(crdt.Cart)
	after.Add("a", "tea", 2)
	after.Add("a", "salt", 1)
	if before.Digest().Last("a") == 0 {
		t.Error("nobody can tell that the id was used before")
	}
	left, right := before.Clone(), after.Clone()
	left.Join(after)
	right.Join(before)
	if !left.Equal(right) {
		t.Error("the replicas differ")
	}
	// a:1 is tea twice, so the greater run stands for both; a:2 is milk here
	// and salt there, so each side takes the other's for removed.
	requireCart(t, left, map[string]int64{"tea": 5})

	// Under a new id nothing is lost.
	fresh := new(crdt.Cart)
	fresh.Add("a, second life", "tea", 2)
	fresh.Add("a, second life", "salt", 1)
	fresh.Join(before)
	requireCart(t, fresh, map[string]int64{"tea": 7, "milk": 1, "salt": 1})
}

func TestReusedReplicaIDOfACounterCountsTheGreaterLife(t *testing.T) {
	var before, after crdt.PNCounter
	before.Add("a", 5)
	after.Add("a", 2)
	after.Join(&before)
	before.Join(&after)
	if before.Value() != 5 || after.Value() != 5 {
		t.Errorf("count %d and %d", before.Value(), after.Value())
	}
}

func TestReplicaThatKeptItsMemoryMayGoOnUnderItsID(t *testing.T) {
	before := new(crdt.Cart)
	before.Add("a", "tea", 5)
	data, _ := before.MarshalBinary()
	after, err := crdt.Decode[crdt.Cart](data)
	if err != nil {
		t.Fatal(err)
	}
	before.Join(after.Add("a", "tea", 2))
	requireCart(t, before, map[string]int64{"tea": 7})
}

func TestRegisterWithTwoWritersUnderOneIDStillConverges(t *testing.T) {
	var x, y crdt.LWWRegister
	x.Set("a", epoch, "x")
	y.Set("a", epoch, "y")
	if x.Join(&y); y.Join(&x) {
		t.Error("the smaller value replaced the greater")
	}
	if v, _ := x.Value(); v != "y" || !x.Equal(&y) {
		t.Errorf("%q", v)
	}
}

func TestDotsAreOrderedByReplicaThenSequence(t *testing.T) {
	dots := []crdt.Dot{{Replica: "a", Seq: 2}, {Replica: "a", Seq: 10}, {Replica: "b", Seq: 1}}
	for i, d := range dots {
		for j, other := range dots {
			if got := d.Compare(other); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%v compared with %v: %d", d, other, got)
			}
		}
	}
	if got := dots[1].String(); got != "a:10" {
		t.Error(got)
	}
}
