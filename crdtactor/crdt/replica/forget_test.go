package replica_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

func TestForgottenNodeLeavesItsCountAndNoEntry(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("a", 1)
	w.add("x", 5)
	w.add("x", -2)
	w.carry()
	w.stop("x")
	w.periods(3)
	w.requireAll(4, "a", "x")
	w.cores["b"].Forget("x")
	w.periods(4)
	w.requireAll(4, "a")
	w.add("b", 1)
	w.start("c") // who was not there
	w.periods(3)
	w.requireAll(5, "a", "b")
}

func TestLastNodeSettlesAlone(t *testing.T) {
	w := newTown(t, "a", "x")
	w.add("x", 5)
	w.carry()
	w.stop("x")
	w.cores["a"].Forget("x")
	w.periods(2)
	w.requireAll(5)
}

func TestNothingIsSettledBeforeEveryKnownNodeIsHeardOut(t *testing.T) {
	w := newTown(t, "a", "b", "c", "x", "y")
	w.lost = func(from, to string, _ any) bool { return from == "x" && to != "b" || from == "y" && to != "c" }
	w.add("x", 3)
	w.add("y", 4)
	w.carry()
	w.stop("x")
	w.stop("y")
	w.lost = func(from, to string, _ any) bool { return from != "a" && to != "a" || from == "c" || to == "c" }
	w.cores["a"].Forget("x")
	w.cores["a"].Forget("y")
	w.periods(5)
	if got := w.state("a").Value(); got != 3 || len(w.entries("b")) != 1 {
		t.Errorf("without c there are %d, and entries of %v", got, w.entries("b"))
	}
	w.lost = nil
	w.periods(5)
	w.requireAll(7)
}

func TestNodeThatWasHeardBeforeTheLossMustBeHeardAgain(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.lost = cut("b")
	w.cores["a"].Forget("x")
	w.periods(5)
	w.requireAll(5, "x")
	w.lost = nil
	w.periods(4)
	w.requireAll(5)
}

// TestNodeThatDoesNotKnowOfTheLossIsNotHeardOut lets a node answer everything,
// but hear no roster: it would go on to take in what the lost replica says.
func TestNodeThatDoesNotKnowOfTheLossIsNotHeardOut(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.lost = losing("Roster")
	w.cores["a"].Forget("x")
	w.periods(5)
	if m := w.member("a", "x"); m.Settled != 0 {
		t.Errorf("settled is %+v, which b has not heard of", m)
	}
	w.lost = nil
	w.periods(4)
	w.requireAll(5)
}

func TestPullThatBeganBeforeTheLossHearsNobodyOut(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.lost = losing("Delta", "Answer")
	w.add("b", 1)
	w.cores["b"].Tick()
	w.letters = nil
	w.carry()
	w.cores["a"].Forget("x")
	w.lost = losing("Delta", "Roster")
	for _, l := range w.letters {
		if _, ok := l.msg.(replica.Answer); ok && l.to == "a" {
			w.send(l)
		}
	}
	w.periods(3)
	if w.state("a").Value() != 6 || w.member("a", "x").Settled != 0 {
		t.Errorf("a shows %d and knows %+v", w.state("a").Value(), w.member("a", "x"))
	}
}

// TestNothingIsSettledBeforeEverybodyHoldsIt lets the node that settles hear all
// others, and them nothing of what it holds. If that node is lost, everything
// that the others hold must be there.
func TestNothingIsSettledBeforeEverybodyHoldsIt(t *testing.T) {
	w := newTown(t, "a", "b", "c", "x", "y")
	w.lost = func(from, to string, _ any) bool { return from == "x" && to != "b" || from == "y" && to != "c" }
	w.add("x", 3)
	w.add("y", 4)
	w.carry()
	w.stop("x")
	w.stop("y")
	w.lost = func(from, to string, msg any) bool {
		_, delta := msg.(replica.Delta)
		_, answer := msg.(replica.Answer)
		return from != "a" && to != "a" || from == "a" && (delta || answer)
	}
	w.cores["a"].Forget("x")
	w.cores["a"].Forget("y")
	w.periods(5)
	if got := w.state("a").Value(); got != 7 {
		t.Fatalf("a shows %d", got)
	}
	w.stop("a")
	w.lost = nil
	w.cores["b"].Forget("a")
	w.periods(6)
	w.requireAll(7)
}

func TestForgottenNodeThatReturnsEndsAndBeginsAsANewReplica(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.disks["x"] = new(backup)
	w.start("x")
	w.add("x", 5)
	w.periods(3)
	w.lost = cut("x")
	w.add("x", 4)
	w.cores["x"].Update("other", func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) })
	w.carry()
	for _, name := range []string{"a", "b"} {
		w.cores[name].See(nil, nil)
	}
	w.cores["a"].Forget("x")
	w.cores["a"].See([]string{"b"}, []string{"b"})
	w.cores["b"].See([]string{"a"}, []string{"a"})
	w.periods(5)
	if got := w.entries("a"); len(got) != 0 {
		t.Fatalf("there are entries of %v", got)
	}
	before := w.cores["x"].ID()
	w.lost = nil
	w.see()
	w.periods(5)
	if !slices.Equal(w.ended, []crdt.ReplicaID{before}) {
		t.Errorf("%v have ended", w.ended)
	}
	w.requireAll(5)
	for _, name := range w.names() {
		if keys := w.cores[name].Keys(); len(keys) != 1 {
			t.Errorf("%s has the keys %v, one of which only the forgotten one had", name, keys)
		}
	}
	w.add("x", 1)
	w.periods(3)
	w.requireAll(6, "x")
}

func TestLostReplicaThatStillRunsIsNotHeardAndEnds(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.cores["a"].Step(replica.Roster{Node: "b", ID: "b#1", Members: []replica.Member{{Node: "x", Version: 3, Next: 3, Lost: 2}}})
	w.lost = func(from, _ string, msg any) bool {
		_, roster := msg.(replica.Roster)
		return from == "a" && roster
	}
	w.add("x", 5)
	w.cores["x"].Update("key", func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) })
	for _, e := range w.cores["x"].Take().Out {
		if e.To == "a" {
			w.cores["a"].Step(e.Msg)
		}
	}
	if got := w.state("a").Value(); got != 0 {
		t.Errorf("a has taken in %d", got)
	}
	w.lost = nil
	w.periods(3)
	if !slices.Contains(w.ended, "x#1") {
		t.Errorf("%v have ended", w.ended)
	}
}

// TestFoldedSharesAreNotSettledAsWell lets a replica fold an earlier one, and its
// delta be late. Then comes what somebody said who is gone, and had forgotten the
// node when only the earlier one was known.
func TestFoldedSharesAreNotSettledAsWell(t *testing.T) {
	for _, version := range []uint64{2, 3} {
		w := newTown(t, "a", "b", "x")
		w.add("x", 5)
		w.periods(3)
		w.start("x")
		w.periods(1)
		w.lost = cut("x")
		w.letters = nil
		w.periods(2) // x folds
		w.lost = nil
		late := w.letters
		if w.state("x").Strip(func(_ string, start uint64) bool { return start == 1 }) {
			t.Fatal("x has not folded")
		}
		w.start("x")
		w.cores["x"].Step(replica.Roster{Node: "a", ID: "a#1", Members: []replica.Member{{Node: "x", Version: version, Next: 2, Lost: 2}}})
		w.periods(5)
		for _, l := range late {
			w.send(l)
		}
		w.periods(5)
		w.requireAll(5)
	}
}

func TestReplicaThatHasFoldedEndsWhenAnEarlierOneIsLost(t *testing.T) {
	w := newTown(t, "a", "x")
	w.add("x", 5)
	w.periods(3)
	w.start("x")
	w.periods(3)
	w.cores["x"].Step(replica.Roster{Node: "a", ID: "a#1", Members: []replica.Member{{Node: "x", Version: 2, Next: 2, Lost: 2}}})
	w.periods(5)
	if !slices.Equal(w.ended, []crdt.ReplicaID{"x#2"}) {
		t.Errorf("%v have ended", w.ended)
	}
	w.requireAll(5)
}

func TestWhatIsSettledIsOnDisk(t *testing.T) {
	w := newTown(t)
	for _, name := range []string{"a", "b"} {
		w.disks[name] = new(backup)
		w.start(name)
	}
	w.start("x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.cores["a"].Forget("x")
	w.periods(4)
	w.requireAll(5)
	w.stop("a")
	w.stop("b")
	w.start("a")
	w.start("b")
	w.requireAll(5)
	w.periods(3)
	w.requireAll(5)
}

func TestLaterReplicaOfAForgottenNodeIsSettledToo(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.start("x")
	w.lost = func(from, to string, _ any) bool { return from == "x" && to == "a" || from == "b" && to == "a" }
	w.add("x", 1)
	w.carry()
	state, _ := w.cores["b"].Snapshot("key")
	w.stop("b") // it has told a nothing
	w.stop("x")
	w.lost = nil
	w.cores["a"].Step(replica.Delta{Node: "b", ID: "b#1", UpTo: 1, Items: []replica.Item{{Key: "key", Data: state}}})
	w.cores["a"].Forget("b")
	w.cores["a"].Forget("x")
	w.periods(4)
	w.requireAll(6)
}

func TestOneNodeAsksOnBehalfOfAll(t *testing.T) {
	w := newTown(t, "a", "b", "c", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.cores["c"].Forget("x")
	w.letters = nil
	w.periods(5)
	w.requireAll(5)
	for _, l := range w.letters {
		if root, ok := l.msg.(replica.Root); ok && root.Ask && l.from != "a" {
			t.Fatalf("%s has asked %s too", l.from, l.to)
		}
	}
}

// TestWriteThatWaitsIsSettledToo lets a write wait whose state has the share of
// a node that is settled meanwhile.
func TestWriteThatWaitsIsSettledToo(t *testing.T) {
	w := newTown(t, "a", "b", "x")
	w.add("x", 5)
	w.periods(3)
	w.stop("x")
	w.lost = func(_, _ string, msg any) bool { _, write := msg.(replica.Write); return write }
	w.cores["a"].Hold(1, "key", false, 2)
	w.cores["a"].Forget("x")
	w.periods(5)
	w.letters = nil
	w.periods(1)
	writes := 0
	for _, l := range w.letters {
		if m, ok := l.msg.(replica.Write); ok {
			writes++
			if state, err := crdt.Decode[crdt.PNCounter](m.Item.Data); err != nil || state.Value() != 5 {
				t.Errorf("what is written shows %v, %v", state, err)
			} else if state.Strip(func(string, uint64) bool { return true }) {
				t.Error("what is written has a share that is settled")
			}
		}
	}
	if writes == 0 {
		t.Error("nothing was written")
	}
}

// TestNamesThatComeAndGoForEverLeaveCountersSmall has a thousand nodes one after
// another, each with a name of its own.
func TestNamesThatComeAndGoForEverLeaveCountersSmall(t *testing.T) {
	w := newTown(t, "a", "b", "c")
	const names = 1000
	for n := range names {
		name := fmt.Sprintf("pod-%06x@10.0.0.1:7946", n*7919)
		w.start(name)
		w.add(name, 2)
		w.add(name, -1)
		w.carry()
		w.stop(name)
		w.letters = nil
		w.cores["b"].Forget(name)
		w.periods(1)
	}
	w.periods(4)
	w.requireAll(names)
	state, _ := w.cores["a"].Snapshot("key")
	if len(state) > 64 {
		t.Errorf("after %d nodes the counter takes %d bytes", names, len(state))
	}
}

// TestTwoSidesThatForgetEachOtherAgreeAndCountNothingTwice parts a town whose
// nodes have disks; both sides go on, and believe that the other is gone. That is
// a mistake, of which every replica is lost, and counts with it.
func TestTwoSidesThatForgetEachOtherAgreeAndCountNothingTwice(t *testing.T) {
	w := newTown(t)
	sides := [][]string{{"a", "b"}, {"c", "d"}}
	for _, name := range slices.Concat(sides...) {
		w.disks[name] = new(backup)
		w.start(name)
	}
	w.add("a", 1)
	w.add("c", 10)
	w.periods(3)
	w.lost = func(from, to string, _ any) bool { return (from < "c") != (to < "c") }
	for i, side := range sides {
		for _, name := range side {
			w.cores[name].See(slices.Clone(side), slices.Clone(side))
			for _, other := range sides[1-i] {
				w.cores[name].Forget(other)
			}
		}
	}
	w.add("b", 100)
	w.add("d", 1000)
	w.periods(5)
	if a, d := w.state("a").Value(), w.state("d").Value(); a != 111 || d != 1011 {
		t.Fatalf("apart the sides show %d and %d", a, d)
	}
	w.lost = nil
	w.see()
	w.periods(10)
	if len(w.ended) == 0 {
		t.Error("no replica has ended")
	}
	for _, name := range w.names() {
		if got := w.state(name).Value(); got > 1111 || !w.state(name).Equal(w.state("a")) {
			t.Errorf("%s shows %d, a %d", name, got, w.state("a").Value())
		}
	}
	value := w.state("a").Value()
	w.requireAll(value)
	w.add("a", 1)
	w.periods(2)
	w.requireAll(value+1, "a")
}
