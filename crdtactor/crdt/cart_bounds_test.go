package crdt_test

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func TestDeltaOfOneAdditionIsSmall(t *testing.T) {
	c := cartOf(1000)
	for _, item := range []string{"item-00500", "something new"} {
		data, _ := c.Add(id(0), item, 1).MarshalBinary()
		if len(data) > 100 {
			t.Errorf("adding %s: %d bytes", item, len(data))
		}
	}
	full, _ := c.MarshalBinary()
	digest, _ := c.Digest().MarshalBinary()
	if len(digest) > 200 || len(full) < 10_000 {
		t.Errorf("digest %d bytes, state %d", len(digest), len(full))
	}
}

func TestCartStaysBoundedUnderRepeatedAddAndRemove(t *testing.T) {
	carts := []*crdt.Cart{new(crdt.Cart), new(crdt.Cart), new(crdt.Cart)}
	for round := range 20_000 {
		at := round % 3
		delta := carts[at].Add(id(at), fmt.Sprint("item-", round%7), int64(round%4))
		if round%2 == 0 {
			delta.Join(carts[at].Remove(id(at), fmt.Sprint("item-", round%5)))
		}
		for _, c := range carts {
			c.Join(delta)
		}
	}
	for _, c := range carts {
		if data, _ := c.MarshalBinary(); len(data) > 1000 {
			t.Errorf("%d bytes after 20,000 rounds", len(data))
		}
	}
}

func TestRemovedItemsLeaveNothingOnceTheirOwnersHaveHeard(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	for n := range 1000 { // always another item: nothing is ever reused
		item := fmt.Sprint("item-", n)
		b.Join(a.Add("a", item, 1))
		a.Join(b.Remove("b", item))
	}
	b.Join(a.Compact("a"))
	if !a.Equal(b) {
		t.Error("compaction did not travel")
	}
	if data, _ := b.MarshalBinary(); len(data) > 20 {
		t.Errorf("%d bytes are left of nothing", len(data))
	}
	if again := a.Compact("a"); !again.IsZero() {
		t.Error("compacting twice does something twice")
	}
}

func TestAdditionsCompactBehindThemselves(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	for n := range 1000 {
		item := fmt.Sprint("item-", n)
		b.Join(a.Add("a", item, 1)) // lets go of the item before
		a.Join(b.Remove("b", item))
	}
	if data, _ := b.MarshalBinary(); len(data) > 50 {
		t.Errorf("%d bytes are left of nothing", len(data))
	}
}

func TestDepartedReplicasItemsCanBeRemovedAndCompacted(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 1, "milk": 2}) // then a departs
	c := b.Clone()
	c.Join(b.Remove("b", "tea"))
	c.Join(b.Remove("b", "milk"))
	c.Join(b.Compact("a"))
	c.Join(a) // what was left of a's own memory
	requireCart(t, c, map[string]int64{})
	if data, _ := c.MarshalBinary(); len(data) > 10 {
		t.Errorf("%d bytes are left of nothing", len(data))
	}
}

func TestCompactingForADepartedReplicaSparesWhatWasHeardSinceTheRemoval(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	b.Remove("b", "tea") // all of a's run is gone as far as b knows
	b.Join(a.Add("a", "tea", 2))
	if delta := b.Compact("a"); !delta.IsZero() {
		t.Error("compacted a run that is alive")
	}
	requireCart(t, b, map[string]int64{"tea": 2})
}

func TestRunsThatArriveSpentAreCompactedToo(t *testing.T) {
	a := new(crdt.Cart)
	a.Add("a", "tea", 5)
	removal := a.Remove("b", "tea")
	heard := new(crdt.Cart)
	heard.Add("c", "milk", 1)
	heard.Join(removal) // the run is spent before it was ever alive here
	data, _ := heard.MarshalBinary()
	decoded, err := crdt.Decode[crdt.Cart](data)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]*crdt.Cart{"heard": heard, "decoded": decoded} {
		if c.Compact("a").IsZero() || !c.Compact("a").IsZero() {
			t.Errorf("%s: did not compact once", what)
		}
		requireCart(t, c, map[string]int64{"milk": 1})
	}
}

func TestRemovalsAndResetsCompactBehindThemselves(t *testing.T) {
	for what, change := range map[string]func(*crdt.Cart) *crdt.Cart{
		"Remove": func(c *crdt.Cart) *crdt.Cart { return c.Remove("a", "milk") },
		"Take":   func(c *crdt.Cart) *crdt.Cart { return c.Add("a", "milk", -1) },
	} {
		a, b := pair(map[string]int64{"tea": 5, "milk": 1})
		a.Join(b.Remove("b", "tea"))
		b.Join(change(a))
		if data, _ := b.MarshalBinary(); len(data) > 10 {
			t.Errorf("%s: %d bytes are left of nothing", what, len(data))
		}
	}
}

func TestJoiningAContextOfCountlessDotsCostsWhatIsInTheCart(t *testing.T) {
	// All of a's sequence numbers are claimed, and none lives: 2^62-1 deaths.
	const everything = "C\x01\x01a\x01\x00\xfe\xff\xff\xff\xff\xff\xff\xff\x3f\x00"
	claims, err := crdt.Decode[crdt.Cart]([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := pair(map[string]int64{"tea": 3, "milk": 1})
	a.Add("b", "salt", 1)
	a.Join(claims)
	requireCart(t, a, map[string]int64{"salt": 1})
	requirePanic(t, "a has no sequence number left", func() { a.Add("a", "tea", 1) })
}
