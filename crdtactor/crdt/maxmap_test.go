package crdt_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func maxMapSubject() subject[*crdt.MaxMap] {
	return subject[*crdt.MaxMap]{
		zero: func() *crdt.MaxMap { return new(crdt.MaxMap) },
		act: func(t *rapid.T, c *crdt.MaxMap, m *model) (*crdt.MaxMap, facts) {
			key, n, carried := item(t), rapid.Int64Range(-5, 5).Draw(t, "n"), noFacts()
			if old, ok := c.Get(key); !ok || old < n {
				carried.made[m.add(key, n)] = true
			}
			return c.Raise(key, n), carried
		},
		show: func(c *crdt.MaxMap) string { return showPairs(c.All()) },
		want: func(l *log, f facts) string {
			var b strings.Builder
			left := l.left(f)
			for _, key := range slices.Sorted(maps.Keys(left)) {
				greatest := slices.MaxFunc(left[key], func(a, b addition) int { return cmp.Compare(a.n, b.n) })
				fmt.Fprintf(&b, "%s=%d ", key, greatest.n)
			}
			return b.String()
		},
	}
}

func TestMaxMapFollowsItsOpLog(t *testing.T)                    { followsItsOpLog(t, maxMapSubject()) }
func TestMaxMapKeepsTheLaws(t *testing.T)                       { keepsTheLaws(t, maxMapSubject()) }
func TestMaxMapConvergesEvenIfReplicaIDsAreReused(t *testing.T) { joinsAlienStates(t, maxMapSubject()) }
func FuzzMaxMap(f *testing.F)                                   { refusesHostileBytes(f, maxMapSubject()) }

func TestMaxMapKeepsTheGreatest(t *testing.T) {
	var m crdt.MaxMap
	m.Raise("x", -3)
	if !m.Raise("x", -4).IsZero() {
		t.Error("a smaller number changes something")
	}
	if n, ok := m.Get("x"); !ok || n != -3 || m.Len() != 1 {
		t.Errorf("%d", n)
	}
	if _, ok := m.Get("y"); ok {
		t.Error("a number nobody raised")
	}
}
