package crdt_test

import (
	"strconv"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func enableFlagSubject() subject[*crdt.EnableFlag] {
	return subject[*crdt.EnableFlag]{
		zero: func() *crdt.EnableFlag { return new(crdt.EnableFlag) },
		act: func(t *rapid.T, f *crdt.EnableFlag, m *model) (*crdt.EnableFlag, facts) {
			if rapid.Bool().Draw(t, "disable") {
				return f.Disable(), m.remove(everything)
			}
			return f.Enable(m.id), m.replace(everything, "")
		},
		show: func(f *crdt.EnableFlag) string { return strconv.FormatBool(f.Enabled()) },
		want: func(l *log, f facts) string { return strconv.FormatBool(len(l.left(f)) > 0) },
	}
}

func TestEnableFlagFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, enableFlagSubject()) }
func TestEnableFlagKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, enableFlagSubject()) }
func TestEnableFlagConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, enableFlagSubject())
}
func FuzzEnableFlag(f *testing.F) { refusesHostileBytes(f, enableFlagSubject()) }

func TestEnableWinsAgainstConcurrentDisable(t *testing.T) {
	var a, b crdt.EnableFlag
	b.Join(a.Enable("a"))
	b.Disable()
	a.Enable("a")
	a.Join(&b)
	b.Join(&a)
	if !a.Enabled() || !b.Enabled() {
		t.Error("off")
	}
	b.Join(a.Disable())
	if a.Enabled() || b.Enabled() {
		t.Error("on")
	}
}
