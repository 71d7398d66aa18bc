package swim

import (
	"testing"

	"github.com/topos-go/topos/overlay"
)

// refuses reports whether b, asked about a node because of a reset link or otherwise, says
// at once that it was refused.
func refuses(b *bench, node overlay.Node, reset bool) bool {
	_, nacks := sent[Nack](b.hear(b.peers[0], PingReq{Seq: 5, Target: node, Reset: reset}))
	return len(nacks) == 1 && nacks[0].Refused
}

// The first who have found out have the dead unwatched, and are asked by the others.
func TestWhoKnowsOfACrashIsAWitnessOfIt(t *testing.T) {
	b := newBench(t, 9, Config{})
	crashed, silent := b.peers[1], b.peers[2]
	b.step(Unwatch{crashed, true})
	b.step(Unwatch{silent, false})
	if !refuses(b, crashed, true) {
		t.Error("it does not say that it was refused")
	}
	for _, wrong := range []struct {
		node  overlay.Node
		reset bool
	}{{crashed, false}, {silent, true}, {overlay.Node{Name: "x@x", Boot: 1}, true}} {
		if refuses(b, wrong.node, wrong.reset) {
			t.Errorf("of %+v it says that it was refused", wrong)
		}
	}
	b.now = b.now.Add(testifies * DefaultPeriod)
	if refuses(b, crashed, true) {
		t.Error("it is a witness for ever")
	}
	b.step(Unwatch{crashed, true})
	b.step(Watch{crashed}) // it was no crash
	if refuses(b, crashed, true) {
		t.Error("it says of one that has returned that it was refused")
	}
}

// A node that many ask about the same one does not dial it each time.
func TestARefusalIsRememberedForAWhile(t *testing.T) {
	for _, test := range []struct {
		what  string
		after func(b *bench)
		known bool
	}{
		{"at once", func(*bench) {}, true},
		{"after two periods", func(b *bench) { b.now = b.now.Add(2 * DefaultPeriod) }, false},
		{"after a message", func(b *bench) { b.hear(b.peers[1], Gossip{}) }, false},
		{"after any sign of life", func(b *bench) { b.c.Seen(b.peers[1]) }, false},
		{"when it is forgotten", func(b *bench) { b.step(Unwatch{Node: b.peers[1]}); b.step(Watch{b.peers[1]}) }, false},
	} {
		b := newBench(t, 9, Config{})
		b.step(LinkReset{b.peers[1], true})
		test.after(b)
		if known := refuses(b, b.peers[1], true); known != test.known {
			t.Errorf("%s: it says so: %v", test.what, known)
		}
		if asks := len(b.c.relays) > 0; asks == test.known {
			t.Errorf("%s: it asks: %v", test.what, asks)
		}
	}
}

// What was refused twice within a while needs no third time.
func TestACheckThatBeginsWithASecondRefusalHasThisNodesWord(t *testing.T) {
	for _, again := range []bool{false, true} {
		b := newBench(t, 9, Config{})
		if again {
			b.step(LinkReset{b.peers[0], true})
			b.c.abandon(0, reset)
		}
		helpers, reqs := sent[PingReq](b.step(LinkReset{b.peers[0], true}))
		for _, h := range helpers[:DefaultWitnesses] {
			b.hear(h, Nack{reqs[0].Seq, true})
		}
		if failed := b.state() == Confirm; failed != again {
			t.Errorf("again %v: %v", again, b.state())
		}
	}
}

func TestCrashesAreRememberedUpToALimit(t *testing.T) {
	b := newBench(t, 2, Config{})
	for i := range 2 * maxCrashed {
		b.step(Unwatch{memberNo(i), true})
	}
	if refuses(b, memberNo(0), true) || !refuses(b, memberNo(2*maxCrashed-1), true) {
		t.Error("it is not the latest that are remembered")
	}
}
