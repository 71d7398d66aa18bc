package crdt_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func mvRegisterSubject() subject[*crdt.MVRegister] {
	return subject[*crdt.MVRegister]{
		zero: func() *crdt.MVRegister { return new(crdt.MVRegister) },
		act: func(t *rapid.T, r *crdt.MVRegister, m *model) (*crdt.MVRegister, facts) {
			if rapid.IntRange(0, 4).Draw(t, "operation") == 0 {
				return r.Clear(), m.remove(everything)
			}
			value := item(t)
			return r.Set(m.id, value), m.replace(everything, value)
		},
		show: func(r *crdt.MVRegister) string { return showKeys(r.All()) },
		want: wantKeys,
	}
}

func TestMVRegisterFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, mvRegisterSubject()) }
func TestMVRegisterKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, mvRegisterSubject()) }
func TestMVRegisterConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, mvRegisterSubject())
}
func FuzzMVRegister(f *testing.F) { refusesHostileBytes(f, mvRegisterSubject()) }

func TestConcurrentValuesAreAllKeptUntilSomeoneChooses(t *testing.T) {
	var a, b crdt.MVRegister
	a.Set("a", "red")
	b.Set("b", "blue")
	a.Join(&b)
	if v, ok := a.Value(); ok || v != "" || showKeys(a.All()) != "blue red" || a.Len() != 2 {
		t.Errorf("%q, %v of %s", v, ok, showKeys(a.All()))
	}
	b.Join(a.Set("a", "violet"))
	if v, ok := b.Value(); !ok || v != "violet" || b.Len() != 1 {
		t.Errorf("%q of %s", v, showKeys(b.All()))
	}
}

func TestSameValueSetTwiceAtOnceIsOneValue(t *testing.T) {
	var a, b crdt.MVRegister
	a.Set("a", "red")
	b.Set("b", "red")
	a.Join(&b)
	if v, ok := a.Value(); !ok || v != "red" {
		t.Errorf("%q, %v", v, ok)
	}
}

func TestClearedRegisterHasNoValue(t *testing.T) {
	var a crdt.MVRegister
	a.Set("a", "")
	if v, ok := a.Value(); !ok || v != "" {
		t.Error("the empty string is a value")
	}
	a.Clear()
	if _, ok := a.Value(); ok || a.Len() != 0 {
		t.Error("cleared, it has a value")
	}
}
