package crdt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

type (
	setMap      = crdt.ORMap[*crdt.ORSet]
	tallyMap    = crdt.ORMap[*crdt.Tally]
	registerMap = crdt.ORMap[*crdt.MVRegister]
	deepMap     = crdt.ORMap[*registerMap]
	flagMap     = crdt.ORMap[*crdt.EnableFlag]
)

// setMapSubject nests sets. The model's keys are "key/element".
func setMapSubject() subject[*setMap] {
	return subject[*setMap]{
		zero: func() *setMap { return new(setMap) },
		act: func(t *rapid.T, c *setMap, m *model) (*setMap, facts) {
			key := item(t)
			if rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
				return c.Remove(m.id, key), m.remove(under(key + "/"))
			}
			var carried facts
			delta := c.Update(key, func(s *crdt.ORSet) *crdt.ORSet {
				var d *crdt.ORSet
				d, carried = actOnSet(t, s, m, key+"/")
				return d
			})
			return delta, carried
		},
		show: func(c *setMap) string {
			var keys []string
			for key, s := range c.All() {
				for element := range s.All() {
					keys = append(keys, key+"/"+element)
				}
			}
			return strings.Join(keys, " ")
		},
		want: wantKeys,
	}
}

// tallyMapSubject nests counters. The model's keys are the map's.
func tallyMapSubject() subject[*tallyMap] {
	return subject[*tallyMap]{
		zero: func() *tallyMap { return new(tallyMap) },
		act: func(t *rapid.T, c *tallyMap, m *model) (*tallyMap, facts) {
			key := item(t)
			operation := rapid.IntRange(0, 6).Draw(t, "operation")
			switch operation {
			case 0:
				return c.Remove(m.id, key), m.reset(exactly(key))
			case 1:
				return c.Compact(m.id), m.sweep()
			}
			var carried facts
			return c.Update(key, func(s *crdt.Tally) *crdt.Tally {
				n := rapid.Int64Range(1, 5).Draw(t, "n")
				if operation == 2 {
					carried = m.reset(exactly(key))
					return s.Reset(m.id)
				}
				carried = m.count(key, n)
				d := s.Add(m.id, n)
				if operation == 3 { // several changes, one delta
					carried.join(m.count(key, -n))
					d.Join(s.Add(m.id, -n))
				}
				return d
			}), carried
		},
		show: func(c *tallyMap) string {
			return showPairs(func(yield func(string, int64) bool) {
				for key, tally := range c.All() {
					if !yield(key, tally.Value()) {
						return
					}
				}
			})
		},
		want: wantSums(func(sum int64) (bool, int64) { return true, sum }),
	}
}

// deepMapSubject nests registers two maps deep: "key/inner/value".
func deepMapSubject() subject[*deepMap] {
	return subject[*deepMap]{
		zero: func() *deepMap { return new(deepMap) },
		act: func(t *rapid.T, c *deepMap, m *model) (*deepMap, facts) {
			key, inner, value := item(t), item(t), item(t)
			carried := noFacts()
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0:
				return c.Remove(m.id, key), m.remove(under(key + "/"))
			case 1:
				return c.Update(key, func(in *registerMap) *registerMap {
					carried = m.remove(under(key + "/" + inner + "/"))
					return in.Remove(m.id, inner)
				}), carried
			}
			carried = m.replace(under(key+"/"+inner+"/"), key+"/"+inner+"/"+value)
			return c.Update(key, func(in *registerMap) *registerMap {
				return in.Update(inner, func(r *crdt.MVRegister) *crdt.MVRegister { return r.Set(m.id, value) })
			}), carried
		},
		show: func(c *deepMap) string {
			var keys []string
			for key, in := range c.All() {
				for inner, r := range in.All() {
					for value := range r.All() {
						keys = append(keys, key+"/"+inner+"/"+value)
					}
				}
			}
			return strings.Join(keys, " ")
		},
		want: wantKeys,
	}
}

func TestMapOfSetsFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, setMapSubject()) }
func TestMapOfSetsKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, setMapSubject()) }
func TestMapOfSetsConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, setMapSubject())
}
func TestMapOfTalliesFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, tallyMapSubject()) }
func TestMapOfTalliesKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, tallyMapSubject()) }
func TestMapOfTalliesConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, tallyMapSubject())
}
func TestMapOfMapsFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, deepMapSubject()) }
func TestMapOfMapsKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, deepMapSubject()) }
func TestMapOfMapsConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, deepMapSubject())
}
func FuzzORMapOfSets(f *testing.F)    { refusesHostileBytes(f, setMapSubject()) }
func FuzzORMapOfTallies(f *testing.F) { refusesHostileBytes(f, tallyMapSubject()) }
func FuzzORMapOfMaps(f *testing.F)    { refusesHostileBytes(f, deepMapSubject()) }
func addTo(at crdt.ReplicaID, e string) func(*crdt.ORSet) *crdt.ORSet {
	return func(s *crdt.ORSet) *crdt.ORSet { return s.Add(at, e) }
}

func showSets(m *setMap) string {
	var b strings.Builder
	for key, s := range m.All() {
		fmt.Fprint(&b, key, slices.Collect(s.All()), " ")
	}
	return b.String()
}

func TestChangesToOneKeyMerge(t *testing.T) {
	var a, b setMap
	a.Update("fruit", addTo("a", "apple"))
	b.Update("fruit", addTo("b", "pear"))
	a.Join(&b)
	if got := showSets(&a); got != "fruit[apple pear] " {
		t.Error(got)
	}
}

func TestRemovedKeyKeepsWhatTheRemovalDidNotSee(t *testing.T) {
	var a, b setMap
	b.Join(a.Update("fruit", addTo("a", "apple")))
	b.Remove("b", "fruit")
	a.Update("fruit", addTo("a", "plum"))
	a.Join(&b)
	if got := showSets(&a); got != "fruit[plum] " {
		t.Error(got)
	}
}

func TestCounterRemovedAndAddedAgainInAMapIsRight(t *testing.T) {
	var a, b tallyMap
	count := func(n int64) func(*crdt.Tally) *crdt.Tally {
		return func(t *crdt.Tally) *crdt.Tally { return t.Add("a", n) }
	}
	b.Join(a.Update("hits", count(5)))
	a.Join(b.Remove("b", "hits"))
	if _, ok := a.Get("hits"); ok || a.Len() != 0 {
		t.Error("the key is still there")
	}
	b.Join(a.Update("hits", count(2)))
	for _, m := range []*tallyMap{&a, &b} {
		if tally, ok := m.Get("hits"); !ok || tally.Value() != 2 || m.Len() != 1 {
			t.Errorf("counts %d", tally.Value())
		}
	}
}

func TestKeyIsInTheMapWhileSomethingLivesInItsValue(t *testing.T) {
	var m flagMap
	m.Update("beta", func(f *crdt.EnableFlag) *crdt.EnableFlag { return f.Enable("a") })
	if f, ok := m.Get("beta"); !ok || !f.Enabled() {
		t.Error("on, it is not there")
	}
	m.Update("beta", func(f *crdt.EnableFlag) *crdt.EnableFlag { return f.Disable() })
	if f, ok := m.Get("beta"); ok || f.Enabled() || m.Len() != 0 {
		t.Error("off, it is still there")
	}
}

func TestValueRemovedAndAddedWithinOneUpdateStaysInTheMap(t *testing.T) {
	var m, other setMap
	m.Update("fruit", addTo("a", "apple"))
	other.Join(&m)
	other.Join(m.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet {
		d := s.Clear() // leaves the value empty, and the key out of the map
		d.Join(s.Add("a", "pear"))
		return d
	}))
	for _, m := range []*setMap{&m, &other} {
		if got := showSets(m); got != "fruit[pear] " {
			t.Error(got)
		}
	}
}

func TestUpdateThatChangesNothingLeavesNoTrace(t *testing.T) {
	var m setMap
	if d := m.Update("fruit", func(*crdt.ORSet) *crdt.ORSet { return nil }); !d.IsZero() || !m.IsZero() {
		t.Error("nil left a trace")
	}
	if d := m.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet { return s.Remove("apple") }); !d.IsZero() || !m.IsZero() {
		t.Error("an empty delta left a trace")
	}
}

func TestDigestFindsTheChangeWhoseDeltaWasNotReturned(t *testing.T) {
	var a, b setMap
	a.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet {
		s.Add("a", "apple")
		return nil
	})
	b.Join(a.DeltaSince(b.Digest()))
	if got := showSets(&b); got != "fruit[apple] " {
		t.Error(got)
	}
}

func TestValueInsideAMapIsNoStateOfItsOwn(t *testing.T) {
	var m setMap
	m.Update("fruit", addTo("a", "apple"))
	inside, _ := m.Get("fruit")
	requirePanic(t, "joining into a value of a map", func() { inside.Join(new(crdt.ORSet)) })
	requirePanic(t, "joining a value of a map", func() { new(crdt.ORSet).Join(inside) })
	requirePanic(t, "returning the value for a delta", func() {
		m.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet { return s })
	})
	outside := inside.Clone()
	outside.Add("b", "pear")
	if got := showSets(&m); got != "fruit[apple] " {
		t.Errorf("changing a clone of a value changed the map: %s", got)
	}
}

func TestMapOfTalliesIsCompactedLikeATally(t *testing.T) {
	var a, b tallyMap
	for n := range 100 {
		b.Join(a.Update(fmt.Sprint("key-", n), func(t *crdt.Tally) *crdt.Tally { return t.Add("a", 1) }))
	}
	for n := range 100 {
		a.Join(b.Remove("b", fmt.Sprint("key-", n)))
	}
	if a.Len() != 0 {
		t.Errorf("%d keys after removing all", a.Len())
	}
	b.Join(a.Compact("a"))
	if data, _ := b.MarshalBinary(); len(data) > 10 {
		t.Errorf("%d bytes are left of nothing", len(data))
	}
}
