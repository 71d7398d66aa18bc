package crdt_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// The model is an operation log. Nothing in it is compact: every addition ever
// made is kept, and every removal with the set of additions its replica could
// see. What must be shown follows from the definition alone: an addition counts
// unless a removal that matches it saw it.

// addition is one operation that put something in: an amount counted, an
// element added, a value set.
type addition struct {
	by     crdt.ReplicaID
	key    string
	n      int64
	serial int // the first addition of the run this one belongs to: see model.run
}

// removal is one operation that took something out.
type removal struct {
	matches func(key string) bool
	sees    map[int]bool
}

// log is all that ever happened, anywhere.
type log struct {
	additions []addition
	removals  []removal
}

// facts are what one replica, or one delta, knows: indices of additions that
// have been made, and of those that have been undone.
type facts struct {
	made, undone map[int]bool
}

func noFacts() facts { return facts{map[int]bool{}, map[int]bool{}} }

func (f facts) join(other facts) {
	maps.Copy(f.made, other.made)
	maps.Copy(f.undone, other.undone)
}

// model is what one replica of the model knows and remembers.
type model struct {
	*log
	facts
	id crdt.ReplicaID
	// run holds, by key, the first addition of the replica's current run:
	// the additions whose total its next delta for that key carries.
	run map[string]int
}

// alive returns the additions that match, are made and are not undone.
func (m *model) alive(matches func(string) bool) []int {
	var list []int
	for i, a := range m.additions {
		if m.made[i] && !m.undone[i] && matches(a.key) {
			list = append(list, i)
		}
	}
	return list
}

// add logs an addition that supersedes nothing.
func (m *model) add(key string, n int64) int {
	i := len(m.additions)
	m.additions = append(m.additions, addition{by: m.id, key: key, n: n, serial: i})
	m.made[i] = true
	return i
}

// remove logs a removal and undoes what it matches and sees.
func (m *model) remove(matches func(string) bool) facts {
	carried := noFacts()
	for _, i := range m.alive(matches) {
		carried.undone[i] = true
	}
	m.removals = append(m.removals, removal{matches, maps.Clone(m.made)})
	m.join(carried)
	return carried
}

// sweep models what a replica does first whenever it changes counters: it lets
// go of its runs of which nothing is left.
func (m *model) sweep() facts {
	carried := noFacts()
	for key, first := range m.run {
		run := m.members(first)
		if !slices.ContainsFunc(run, func(i int) bool { return !m.undone[i] }) {
			for _, i := range run {
				carried.undone[i] = true
			}
			delete(m.run, key)
		}
	}
	return carried
}

// members returns the additions of a run that m knows.
func (m *model) members(serial int) []int {
	var list []int
	for i, a := range m.additions {
		if m.made[i] && a.serial == serial {
			list = append(list, i)
		}
	}
	return list
}

// count models an addition to a counter: it carries the replica's run.
func (m *model) count(key string, n int64) facts {
	carried := m.sweep()
	i := m.add(key, n)
	if first, ok := m.run[key]; ok {
		m.additions[i].serial = first
	} else {
		m.run[key] = i
	}
	for _, i := range m.members(m.run[key]) {
		carried.made[i] = true
		if m.undone[i] {
			carried.undone[i] = true
		}
	}
	return carried
}

// reset models the removal of counters: it carries every run of which something
// was left, as far as seen.
func (m *model) reset(matches func(string) bool) facts {
	carried := m.sweep()
	for _, alive := range m.alive(matches) {
		a := m.additions[alive]
		for _, i := range m.members(a.serial) {
			carried.made[i], carried.undone[i] = true, true
		}
		if a.by == m.id {
			delete(m.run, a.key)
		}
	}
	carried.join(m.remove(matches))
	return carried
}

// outcome returns what the log alone says is left in the end.
func (l *log) outcome() facts {
	f := noFacts()
	for i, a := range l.additions {
		f.made[i] = true
		for _, r := range l.removals {
			if r.matches(a.key) && r.sees[i] {
				f.undone[i] = true
			}
		}
	}
	return f
}

// left returns the additions that count, by key.
func (l *log) left(f facts) map[string][]addition {
	byKey := map[string][]addition{}
	for i, a := range l.additions {
		if f.made[i] && !f.undone[i] {
			byKey[a.key] = append(byKey[a.key], a)
		}
	}
	return byKey
}

func everything(string) bool { return true }
func exactly(key string) func(string) bool {
	return func(k string) bool { return k == key }
}
func under(prefix string) func(string) bool {
	return func(k string) bool { return strings.HasPrefix(k, prefix) }
}

// showPairs renders sorted keys and their values.
func showPairs[V any](pairs iter.Seq2[string, V]) string {
	var b strings.Builder
	for k, v := range pairs {
		fmt.Fprintf(&b, "%s=%v ", k, v)
	}
	return b.String()
}

// showKeys renders sorted keys.
func showKeys(keys iter.Seq[string]) string {
	return strings.Join(slices.Collect(keys), " ")
}

// wantKeys renders the keys of which something is left.
func wantKeys(l *log, f facts) string {
	return strings.Join(slices.Sorted(maps.Keys(l.left(f))), " ")
}

// wantSums renders the sums of what is left, by key, as adjust changes them.
func wantSums(adjust func(sum int64) (shown bool, as int64)) func(*log, facts) string {
	return func(l *log, f facts) string {
		left := l.left(f)
		var b strings.Builder
		for _, key := range slices.Sorted(maps.Keys(left)) {
			if shown, as := adjust(sumOf(left[key])); shown {
				fmt.Fprintf(&b, "%s=%d ", key, as)
			}
		}
		return b.String()
	}
}

func sumOf(additions []addition) int64 {
	var n int64
	for _, a := range additions {
		n += a.n
	}
	return n
}
