package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func gSetSubject() subject[*crdt.GSet] {
	return subject[*crdt.GSet]{
		zero: func() *crdt.GSet { return new(crdt.GSet) },
		act: func(t *rapid.T, s *crdt.GSet, m *model) (*crdt.GSet, facts) {
			element, carried := rapid.StringN(0, 2, -1).Draw(t, "element"), noFacts()
			if !s.Contains(element) {
				carried.made[m.add(element, 1)] = true
			}
			return s.Add(element), carried
		},
		show: func(s *crdt.GSet) string { return showKeys(s.All()) },
		want: wantKeys,
	}
}

func TestGSetFollowsItsOpLog(t *testing.T)                    { followsItsOpLog(t, gSetSubject()) }
func TestGSetKeepsTheLaws(t *testing.T)                       { keepsTheLaws(t, gSetSubject()) }
func TestGSetConvergesEvenIfReplicaIDsAreReused(t *testing.T) { joinsAlienStates(t, gSetSubject()) }
func FuzzGSet(f *testing.F)                                   { refusesHostileBytes(f, gSetSubject()) }

func TestGSetElementAddedAgainHasNothingToSay(t *testing.T) {
	var s crdt.GSet
	if s.Add("x").IsZero() || !s.Add("x").IsZero() || s.Len() != 1 {
		t.Errorf("%d elements", s.Len())
	}
}
