package crdt_test

import (
	"slices"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func orSetSubject() subject[*crdt.ORSet] {
	return subject[*crdt.ORSet]{
		zero: func() *crdt.ORSet { return new(crdt.ORSet) },
		act: func(t *rapid.T, s *crdt.ORSet, m *model) (*crdt.ORSet, facts) {
			return actOnSet(t, s, m, "")
		},
		show: func(s *crdt.ORSet) string { return showKeys(s.All()) },
		want: wantKeys,
	}
}

// actOnSet does a random operation to a set. The model's keys are the elements
// behind that prefix.
func actOnSet(t *rapid.T, s *crdt.ORSet, m *model, prefix string) (*crdt.ORSet, facts) {
	element := item(t)
	switch rapid.IntRange(0, 7).Draw(t, "operation") {
	case 0:
		return s.Clear(), m.remove(under(prefix))
	case 1, 2:
		return s.Remove(element), m.remove(exactly(prefix + element))
	default:
		return s.Add(m.id, element), m.replace(exactly(prefix+element), prefix+element)
	}
}

// replace models an addition that takes the place of what matches and is seen.
func (m *model) replace(matches func(string) bool, key string) facts {
	carried := m.remove(matches)
	carried.made[m.add(key, 1)] = true
	return carried
}

func TestORSetFollowsItsOpLog(t *testing.T)                    { followsItsOpLog(t, orSetSubject()) }
func TestORSetKeepsTheLaws(t *testing.T)                       { keepsTheLaws(t, orSetSubject()) }
func TestORSetConvergesEvenIfReplicaIDsAreReused(t *testing.T) { joinsAlienStates(t, orSetSubject()) }
func FuzzORSet(f *testing.F)                                   { refusesHostileBytes(f, orSetSubject()) }

func requireElements(t *testing.T, s *crdt.ORSet, want ...string) {
	t.Helper()
	if got := slices.Collect(s.All()); !slices.Equal(got, want) || s.Len() != len(want) {
		t.Errorf("holds %v, want %v", got, want)
	}
	for _, element := range want {
		if !s.Contains(element) {
			t.Errorf("does not contain %s", element)
		}
	}
}

func TestAdditionWinsAgainstConcurrentRemoval(t *testing.T) {
	var a, b crdt.ORSet
	b.Join(a.Add("a", "x"))
	b.Remove("x")
	a.Add("a", "x") // it was there already
	a.Join(&b)
	b.Join(&a)
	requireElements(t, &a, "x")
	requireElements(t, &b, "x")
}

func TestRemovedElementCanBeAddedAgainAndRemovedAgain(t *testing.T) {
	var a, b crdt.ORSet
	for range 3 {
		b.Join(a.Add("a", "x"))
		requireElements(t, &b, "x")
		b.Join(a.Remove("x"))
		requireElements(t, &b)
	}
}

func TestElementRemovedBeforeItsAdditionArrivesStaysRemoved(t *testing.T) {
	var a, b crdt.ORSet
	first, second := a.Add("a", "x"), a.Add("a", "x")
	b.Join(a.Remove("x"))
	b.Join(second)
	requireElements(t, &b)
	// The first addition was replaced by the second, so the removal did not
	// name it; the second's delta did.
	b.Join(first)
	requireElements(t, &b)
}

func TestRemovalDoesNotReachAcrossAGap(t *testing.T) {
	var a, b crdt.ORSet
	a.Add("a", "x") // a:1, never sent
	b.Join(a.Add("a", "y"))
	b.Join(a.Remove("y")) // b has heard of a:2, not of a:1
	requireElements(t, &b)
	b.Join(a.DeltaSince(b.Digest()))
	requireElements(t, &b, "x")
	if !a.Equal(&b) {
		t.Error("the digest did not find the gap")
	}
}

func TestSetStaysBoundedUnderRepeatedAddAndRemove(t *testing.T) {
	var a, b crdt.ORSet
	for range 10_000 {
		b.Join(a.Add("a", "x"))
		a.Join(b.Add("b", "x"))
		a.Join(b.Remove("x"))
	}
	for _, s := range []*crdt.ORSet{&a, &b} {
		if data, _ := s.MarshalBinary(); len(data) > 20 {
			t.Errorf("%d bytes are left of nothing", len(data))
		}
	}
}

func TestClearTakesOutWhatWasSeen(t *testing.T) {
	var a, b crdt.ORSet
	b.Join(a.Add("a", "x"))
	b.Join(a.Add("a", "y"))
	a.Add("a", "z")
	a.Join(b.Clear())
	requireElements(t, &b)
	requireElements(t, &a, "z")
}
