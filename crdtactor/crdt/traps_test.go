package crdt_test

import (
	"maps"
	"testing"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// The shortcuts that look like replication and are not. Each test first shows
// what the shortcut does, then what the type that replaces it does.

func TestReplacingStateBecauseAClockIsNewerLosesConcurrentWork(t *testing.T) {
	// A whole cart under one timestamp: the newer one replaces the older.
	var a, b crdt.LWWRegister
	a.Set("a", time.Unix(1, 0), "tea=2")
	b.Set("b", time.Unix(2, 0), "milk=1")
	a.Join(&b)
	if v, _ := a.Value(); v != "milk=1" {
		t.Fatalf("expected the shortcut to lose the tea, it has %s", v)
	}

	left, right := new(crdt.Cart), new(crdt.Cart)
	left.Add("a", "tea", 2)
	right.Add("b", "milk", 1)
	left.Join(right)
	requireCart(t, left, map[string]int64{"tea": 2, "milk": 1})
}

// clocked is state with a version vector, handled as in "if the clocks are
// concurrent merge, if the remote one is newer replace, else ignore".
type clocked struct {
	cart  *crdt.Cart
	clock map[crdt.ReplicaID]int
}

func (c *clocked) add(replica crdt.ReplicaID, item string) {
	c.cart.Add(replica, item, 1)
	c.clock[replica]++
}

func (c *clocked) before(other clocked) bool {
	for replica, n := range c.clock {
		if n > other.clock[replica] {
			return false
		}
	}
	return !maps.Equal(c.clock, other.clock)
}

func (c *clocked) receive(other clocked) {
	switch {
	case c.before(other):
		c.cart = other.cart.Clone()
		c.clock = maps.Clone(other.clock)
	case other.before(*c):
	default:
		c.cart.Join(other.cart)
		for replica, n := range other.clock {
			c.clock[replica] = max(c.clock[replica], n)
		}
	}
}

func TestVectorClockOfARestartedReplicaMakesItsWorkLookOld(t *testing.T) {
	peer := clocked{new(crdt.Cart), map[crdt.ReplicaID]int{}}
	for range 3 {
		peer.add("a", "tea") // what a did before it restarted, as the peer heard it
	}
	restarted := clocked{new(crdt.Cart), map[crdt.ReplicaID]int{}}
	restarted.add("a", "milk")
	restarted.receive(peer)
	if restarted.cart.Quantity("milk") != 0 {
		t.Fatal("expected the clock to make the new work look old")
	}

	// With an id for each incarnation, and a join that never replaces.
	again := new(crdt.Cart)
	again.Add("a, second life", "milk", 1)
	again.Join(peer.cart)
	requireCart(t, again, map[string]int64{"tea": 3, "milk": 1})
}

func TestIntMergedByAdditionCountsTwice(t *testing.T) {
	merge := func(a, b int64) int64 { return a + b }
	a, b := int64(5), int64(3)
	a = merge(a, b)
	a = merge(a, b) // the same message again, or the answer to one's own
	if a == 8 {
		t.Fatal("expected the shortcut to count twice")
	}

	var left, right crdt.PNCounter
	left.Add("a", 5)
	right.Add("b", 3)
	for range 3 {
		left.Join(&right)
		right.Join(&left)
	}
	if left.Value() != 8 || right.Value() != 8 {
		t.Errorf("count %d and %d", left.Value(), right.Value())
	}
}

func TestMapMergedByMaximumCanNeverRemove(t *testing.T) {
	var a, b crdt.MaxMap
	b.Join(a.Raise("tea", 2))
	a.Raise("tea", 0) // "remove"
	a.Join(&b)
	if n, _ := a.Get("tea"); n != 2 {
		t.Fatalf("expected the removal to be undone, %d are left", n)
	}
	a.Raise("milk", 2) // and two concurrent additions of 2
	b.Raise("milk", 2)
	a.Join(&b)
	if n, _ := a.Get("milk"); n != 2 {
		t.Fatalf("expected one of the additions to be lost, %d are left", n)
	}

	left, right := new(crdt.Cart), new(crdt.Cart)
	right.Join(left.Add("a", "tea", 2))
	left.Remove("a", "tea")
	left.Join(right)
	left.Add("a", "milk", 2)
	right.Add("b", "milk", 2)
	left.Join(right)
	requireCart(t, left, map[string]int64{"milk": 4})
}
