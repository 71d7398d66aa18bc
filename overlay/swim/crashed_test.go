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
	b.step(Watch{crashed}) // it was no crash
	if refuses(b, crashed, true) {
		t.Error("it says of one that has returned that it was refused")
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
