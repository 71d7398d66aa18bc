package replica_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// market is replicas of a cart and a network that loses what it is told to.
type market struct {
	cores map[string]*replica.Core[*crdt.Cart]
	lost  func(from, to string) bool
}

func newMarket(names ...string) *market {
	m := &market{cores: map[string]*replica.Core[*crdt.Cart]{}, lost: func(_, _ string) bool { return false }}
	for _, name := range names {
		m.start(name)
	}
	return m
}

func (m *market) start(name string) {
	m.cores[name] = replica.New(replica.Config[*crdt.Cart]{Node: name, ID: crdt.Incarnation(name, 1),
		New: func() *crdt.Cart { return new(crdt.Cart) }})
	m.see()
}

func (m *market) names() []string { return slices.Sorted(maps.Keys(m.cores)) }

func (m *market) see() {
	for _, name := range m.names() {
		others := slices.DeleteFunc(m.names(), func(other string) bool { return other == name })
		m.cores[name].See(others, slices.Clone(others))
	}
}

// stop ends a node for ever.
func (m *market) stop(name string) {
	delete(m.cores, name)
	m.see()
}

func (m *market) update(name string, f func(*crdt.Cart, crdt.ReplicaID) *crdt.Cart) {
	m.cores[name].Update("key", f)
	m.cores[name].Flush()
	m.carry()
}

func (m *market) carry() {
	for moved := true; moved; {
		moved = false
		for _, name := range m.names() {
			for _, e := range m.cores[name].Take().Out {
				if to := m.cores[e.To]; to != nil && !m.lost(name, e.To) {
					moved = true
					to.Step(e.Msg)
				}
			}
		}
	}
}

func (m *market) periods(n int) {
	for range n {
		for _, name := range m.names() {
			m.cores[name].Tick()
			m.carry()
		}
	}
}

// cart returns what a node has, and whether its encoding names an item.
func (m *market) cart(name, item string) (cart *crdt.Cart, named bool) {
	cart, ok := m.cores[name].State("key")
	if !ok {
		return new(crdt.Cart), false
	}
	data, _ := cart.MarshalBinary()
	return cart, strings.Contains(string(data), item)
}

func addTea(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart    { return c.Add(me, "tea", 1) }
func removeTea(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart { return c.Remove(me, "tea") }

func TestWhatWasRemovedOfAForgottenNodeLeavesNoMark(t *testing.T) {
	for _, after := range []bool{false, true} { // that it was removed after the node was forgotten
		m := newMarket("a", "b", "x")
		m.update("x", addTea)
		m.stop("x")
		if !after {
			m.update("b", removeTea)
		}
		m.cores["b"].Forget("x")
		m.periods(4)
		if after {
			m.update("b", removeTea)
			m.periods(2)
		}
		for _, name := range m.names() {
			if cart, named := m.cart(name, "tea"); named || cart.Len() != 0 {
				t.Errorf("after=%v: %s keeps %v", after, name, cart)
			}
		}
		if a, _ := m.cart("a", ""); !a.Equal(func() *crdt.Cart { b, _ := m.cart("b", ""); return b }()) {
			t.Error("they differ")
		}
	}
}

// TestNothingIsSweptBeforeEverybodyIsHeardOut has an addition of a forgotten node
// that only a node out of reach has heard of.
func TestNothingIsSweptBeforeEverybodyIsHeardOut(t *testing.T) {
	m := newMarket("a", "b", "c", "x")
	m.update("x", addTea)
	m.periods(3) // all are heard out, at a time when nobody was lost
	m.lost = func(from, to string) bool {
		return to != "c" && from != to && (from == "x" || from == "c") || from != "x" && to == "c"
	}
	m.update("x", addTea) // c alone hears of it
	m.stop("x")
	m.update("a", removeTea)
	m.cores["a"].Forget("x")
	m.periods(5)
	if _, named := m.cart("a", "tea"); !named {
		t.Error("the mark is gone before c was heard")
	}
	m.allHaveOneAfterHealing(t)
}

// allHaveOneAfterHealing ends all losses, after which the addition that was not seen by
// whoever removed must have come to everybody.
func (m *market) allHaveOneAfterHealing(t *testing.T) {
	t.Helper()
	m.lost = func(_, _ string) bool { return false }
	m.periods(5)
	for _, name := range m.names() {
		if cart, _ := m.cart(name, "tea"); cart.Quantity("tea") != 1 {
			t.Errorf("%s has %d", name, cart.Quantity("tea"))
		}
	}
}

// TestMarksOfThoseWhoAreThereAreLeftToThem has a node add to a run while others
// remove what they have seen of it.
func TestMarksOfThoseWhoAreThereAreLeftToThem(t *testing.T) {
	m := newMarket("a", "b", "x", "y")
	m.update("y", addTea)
	m.stop("x")
	m.cores["a"].Forget("x")
	m.periods(4) // all are heard out
	m.lost = func(from, to string) bool { return from == "y" || to == "y" }
	m.update("y", addTea)
	m.update("a", removeTea)
	m.periods(4)
	if _, named := m.cart("a", "tea"); !named {
		t.Error("the mark is gone before y has seen it")
	}
	m.allHaveOneAfterHealing(t)
}

// TestWhoeverLeadsNextSweepsWhatIsLeft ends the node that leads before it has come
// to sweep what was removed.
func TestWhoeverLeadsNextSweepsWhatIsLeft(t *testing.T) {
	m := newMarket("a", "b", "c", "x")
	m.update("x", addTea)
	m.stop("x")
	m.cores["a"].Forget("x")
	m.periods(3)
	m.update("c", removeTea)
	if _, named := m.cart("c", "tea"); !named {
		t.Fatal("there is nothing to sweep")
	}
	m.stop("a")
	m.cores["c"].Forget("a")
	m.periods(4)
	for _, name := range m.names() {
		if cart, named := m.cart(name, "tea"); named || cart.Len() != 0 {
			t.Errorf("%s keeps %v", name, cart)
		}
	}
}

// TestForgottenNamesCostACartTheirIdsAndNoMore has nodes one after another, each
// of which adds something that is removed, and never returns.
func TestForgottenNamesCostACartTheirIdsAndNoMore(t *testing.T) {
	m := newMarket("a", "b")
	const names = 200
	ids := 0
	for n := range names {
		name := fmt.Sprintf("pod-%06x@10.0.0.1:7946", n*7919)
		m.start(name)
		m.update(name, addTea)
		ids += len(m.cores[name].ID())
		m.stop(name)
		m.update("b", removeTea)
		m.cores["b"].Forget(name)
		m.periods(2)
	}
	m.periods(4)
	cart, named := m.cart("a", "tea")
	data, _ := cart.MarshalBinary()
	if perName := float64(len(data)-ids) / names; named || perName > 5 {
		t.Errorf("a name costs %.1f bytes besides its id; the item is named: %v", perName, named)
	}
}

// TestKeyThatChangesAmongManyIsSweptToo has more keys change in every period than
// are gone through in one.
func TestKeyThatChangesAmongManyIsSweptToo(t *testing.T) {
	const keys = 6
	c := replica.New(replica.Config[*crdt.Cart]{Node: "a", ID: "a#1", AtOnce: 2, New: func() *crdt.Cart { return new(crdt.Cart) }})
	c.Enroll([]replica.Member{{Node: "x", Version: 1, Next: 2}})
	c.Forget("x")
	c.Tick()
	change := func(i int, f func(*crdt.Cart, crdt.ReplicaID) *crdt.Cart) { c.Update(fmt.Sprint("key ", i), f) }
	for i := range keys {
		change(i, func(cart *crdt.Cart, _ crdt.ReplicaID) *crdt.Cart { return cart.Add("x#1", "tea", 1) })
		change(i, removeTea)
	}
	for n := range 3 * keys {
		for i := range keys {
			change(i, func(cart *crdt.Cart, me crdt.ReplicaID) *crdt.Cart { return cart.Add(me, "milk", int64(n+1)) })
		}
		c.Tick()
	}
	for _, key := range c.Keys() {
		cart, _ := c.State(key)
		if data, _ := cart.MarshalBinary(); strings.Contains(string(data), "tea") {
			t.Errorf("%s keeps the mark", key)
		}
	}
}
