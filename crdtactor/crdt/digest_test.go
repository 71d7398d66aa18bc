package crdt_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestDeltaSinceIsZeroWhenThePeerKnowsEverything(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	a.Add("a", "tea", 1)
	a.Add("a", "milk", 1)
	a.Add("a", "milk", 1)
	a.Add("a", "salt", 1)
	b.Join(a)
	a.Remove("a", "milk") // dies between two that live
	if delta := b.DeltaSince(a.Digest()); !delta.IsZero() {
		t.Errorf("the older cart has something to say: %v", delta.Digest())
	}
	delta := a.DeltaSince(b.Digest())
	if data, _ := delta.MarshalBinary(); len(data) > 10 {
		t.Errorf("%d bytes for one death", len(data))
	}
	b.Join(delta)
	if !a.Equal(b) || !a.Digest().Equal(b.Digest()) {
		t.Error("the delta did not do it")
	}
}

func TestDigestTellsARemovalFromNotHavingHeardOfIt(t *testing.T) {
	var a, b crdt.ORSet
	b.Join(a.Add("a", "x"))
	a.Remove("x") // makes no dot: the contexts stay equal
	if a.Digest().Equal(b.Digest()) {
		t.Error("different states have equal digests")
	}
	if b.Join(a.DeltaSince(b.Digest())); b.Contains("x") {
		t.Error("the removal did not travel")
	}
}

func TestDigestFindsRemovalsOfRunsThatGrewSince(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	b.Remove("b", "tea")
	a.Add("a", "tea", 2)
	a.Join(b.DeltaSince(a.Digest()))
	b.Join(a.DeltaSince(b.Digest()))
	requireCart(t, a, map[string]int64{"tea": 2})
	requireCart(t, b, map[string]int64{"tea": 2})
}

func TestDigestTellsWhetherAReplicaIDIsFresh(t *testing.T) {
	a, _ := pair(map[string]int64{"tea": 5, "milk": 1})
	if n := a.Digest().Last("a"); n != 2 {
		t.Errorf("knows %d events of a", n)
	}
	if n := a.Digest().Last("a, second life"); n != 0 {
		t.Errorf("knows %d events of a replica that never did anything", n)
	}
	if n := (*crdt.Digest)(nil).Last("a"); n != 0 {
		t.Errorf("no digest knows %d events", n)
	}
}

func TestDigestIsNotChangedByLaterUpdates(t *testing.T) {
	c := cartOf(3)
	before := c.Digest()
	data, _ := before.MarshalBinary()
	c.Add(id(0), "another", 1)
	c.Remove(id(0), "item-00000")
	if again, _ := before.MarshalBinary(); string(again) != string(data) || before.Equal(c.Digest()) {
		t.Error("the digest changed with the cart")
	}
}

func TestDigestDecodesOnlyItsCanonicalForm(t *testing.T) {
	const seen = "D\x01\x01a\x01\x00\x02" // a:1-3
	for what, data := range map[string]string{
		"another kind":              "X\x00",
		"no marks":                  seen,
		"more marks than bytes":     seen + "\x05\x00\x00\x00\x00",
		"living dot nobody saw":     seen + "\x01\x00\x03\x00\x00",
		"two runs that are one":     seen + "\x02\x00\x00\x00\x00\x00\x01\x00\x00",
		"more gone than added":      seen + "\x01\x00\x00\x01\x02",
		"sequence number too great": seen + "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00\x00",
		"bytes left over":           seen + "\x00\x00",
	} {
		if err := new(crdt.Digest).UnmarshalBinary([]byte(data)); !errors.Is(err, crdt.ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	good := seen + "\x02\x00\x00\x00\x00\x00\x01\x02\x01" // a:1 plain, a:2-3 with runs
	if err := new(crdt.Digest).UnmarshalBinary([]byte(good)); err != nil {
		t.Error(err)
	}
}
