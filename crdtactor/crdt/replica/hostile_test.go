package replica_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// TestRosterThatNoReplicaSendsLeavesNoTrace tells of nodes what nobody can know:
// bounds above which there is no start, and a version after which there is none.
func TestRosterThatNoReplicaSendsLeavesNoTrace(t *testing.T) {
	for _, bad := range []replica.Member{
		{Node: "x", Version: math.MaxUint64, Next: 2},
		{Node: "x", Version: math.MaxUint64 - 1, Next: 2, Lost: 2},
		{Node: "x", Version: 1, Next: math.MaxUint64},
		{Node: "x", Version: 2, Next: math.MaxUint64, Lost: math.MaxUint64, Settled: math.MaxUint64},
		{Node: "x", Version: 2, Next: 2, Lost: 3},
		{Node: "x", Version: 2, Next: 2, Lost: 1, Settled: 2},
		{Node: "x", Next: 2},
		{Node: strings.Repeat("x", 5000), Version: 1},
	} {
		w := newTown(t, "a", "b", "x")
		w.add("x", 5)
		w.periods(3)
		before := w.cores["b"].Roster()
		w.cores["b"].Step(replica.Roster{Node: "a", ID: "a#1", Members: []replica.Member{bad}})
		if got := w.cores["b"].Take().Malformed; got != 1 {
			t.Errorf("%+v: %d are malformed", bad, got)
		}
		if after := w.cores["b"].Roster(); !slices.Equal(before, after) {
			t.Errorf("%+v: the roster is %+v, was %+v", bad, after, before)
		}
		w.stop("x")
		if !w.cores["a"].Forget("x") {
			t.Errorf("%+v: x cannot be forgotten", bad)
		}
		w.periods(4)
		w.requireAll(5)
		w.start("x")
		w.add("x", 1)
		w.periods(4)
		w.requireAll(6, "x")
	}
}

// TestShareOfAReplicaThatCannotHaveStartedStopsNobody has an entry of a forgotten
// node above every bound: it stays, and everything else goes on.
func TestShareOfAReplicaThatCannotHaveStartedStopsNobody(t *testing.T) {
	for _, start := range []uint64{math.MaxUint64, math.MaxUint64 - 1, math.MaxInt64 + 1, math.MaxInt64} {
		w := newTown(t, "a", "b", "x", "y")
		w.add("x", 5)
		w.add("y", 1)
		data, _ := new(crdt.PNCounter).Add(crdt.Incarnation("x", start), 7).MarshalBinary()
		w.cores["a"].Step(replica.Write{Node: "y", ID: "y#1", Item: replica.Item{Key: "key", Data: data}})
		w.periods(3)
		w.stop("x")
		w.cores["b"].Forget("x")
		w.periods(6)
		w.stop("y")
		w.cores["b"].Forget("y")
		w.periods(6)
		if got := w.entries("b"); slices.Contains(got, "y") || start <= math.MaxInt64 && len(got) != 0 {
			t.Errorf("start %d: there are entries of %v", start, got)
		}
		if w.state("a").Value() != 13 || w.state("b").Value() != 13 {
			t.Errorf("start %d: there are %d and %d", start, w.state("a").Value(), w.state("b").Value())
		}
		w.letters = nil
		w.periods(2)
		if n := w.count("Roster"); n > 0 {
			t.Errorf("start %d: %d rosters are still exchanged", start, n)
		}
	}
}

// count returns how many letters of a kind came by.
func (w *town) count(kind string) (n int) {
	for _, l := range w.letters {
		if strings.TrimPrefix(fmt.Sprintf("%T", l.msg), "replica.") == kind {
			n++
		}
	}
	return n
}

// TestPastsOfDifferentNodesThatLookTheSameAreNotTheSame has one node settle what
// x has counted and another what y has: the same number, and the same bytes.
func TestPastsOfDifferentNodesThatLookTheSameAreNotTheSame(t *testing.T) {
	settled := func(node, gone string) *counter {
		c := replica.New(replica.Config[*crdt.PNCounter]{Node: node, ID: crdt.Incarnation(node, 1), New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
		state := new(crdt.PNCounter)
		state.Add(crdt.Incarnation(gone, 1), 5)
		state.Settle(func(string, uint64) bool { return true })
		data, err := state.MarshalBinary()
		if err != nil || c.Restore("key", data) != nil {
			t.Fatal(err)
		}
		c.Enroll([]replica.Member{{Node: gone, Version: 2, Next: 2, Lost: 2, Settled: 2}})
		return c
	}
	a, b := settled("a", "x"), settled("b", "y")
	a.See([]string{"b"}, []string{"b"})
	b.See([]string{"a"}, []string{"a"})
	a.Greet()
	for _, e := range a.Take().Out {
		b.Step(e.Msg)
	}
	out := b.Take()
	for _, e := range out.Out {
		if ack, ok := e.Msg.(replica.Ack); ok {
			t.Errorf("b says that it holds what a has: %+v", ack)
		}
	}
	if len(out.Fresh) > 0 {
		t.Error("b says that it has all that a has")
	}
}

// TestRosterOfManyNamesTravelsInParts has two nodes that know thousands of
// others each, some of them both.
func TestRosterOfManyNamesTravelsInParts(t *testing.T) {
	w := newTown(t, "a", "b")
	for i, name := range w.names() {
		var list []replica.Member
		for n := range 3000 {
			list = append(list, replica.Member{Node: fmt.Sprintf("gone-%05d", n*2+i*(n%2)), Version: 2, Next: uint64(n) + 1, Lost: uint64(n)})
		}
		w.cores[name].Enroll(list)
	}
	w.periods(3)
	if a, b := w.cores["a"].Roster(), w.cores["b"].Roster(); !slices.Equal(a, b) || len(a) < 4500 {
		t.Errorf("a knows %d and b %d nodes", len(a), len(b))
	}
	for _, l := range w.letters {
		if m, ok := l.msg.(replica.Roster); ok && len(m.Members) > 1000 {
			t.Fatalf("one message has %d members", len(m.Members))
		}
	}
	w.letters = nil
	w.periods(2)
	if n := w.count("Roster"); n > 0 {
		t.Errorf("%d rosters are still exchanged", n)
	}
}

// TestForgottenNamesCostLittleMemory has many nodes that are heard, forgotten and
// never come back.
func TestForgottenNamesCostLittleMemory(t *testing.T) {
	const names = 20_000
	used := func() int64 { // what other tests have left may be collected meanwhile
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := used()
	c := replica.New(replica.Config[*crdt.PNCounter]{Node: "a", ID: "a#1", New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	for n := range names {
		name := fmt.Sprintf("pod-%06x@10.0.0.1:7946", n)
		c.Step(replica.Delta{Node: name, ID: string(crdt.Incarnation(name, 1_700_000_000_000_000_000))})
		c.Take()
		if !c.Forget(name) {
			t.Fatal("not forgotten")
		}
	}
	if per := (used() - before) / names; per > 200 {
		t.Errorf("a name costs %d bytes", per)
	} else {
		t.Logf("a name costs %d bytes", per)
	}
	runtime.KeepAlive(c)
}
