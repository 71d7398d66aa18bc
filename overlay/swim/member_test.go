package swim

import (
	"math"
	"testing"
)

// What a member has no room for is kept beside it, and goes with it.
func TestHugeIncarnationsAreKeptWithTheMember(t *testing.T) {
	b := newBench(t, 3, Config{})
	i := b.c.members.find(b.peers[0])
	for _, n := range []uint64{1, many - 1, many, many + 1, math.MaxUint64} {
		b.step(Received{b.peers[0], Message{Incarnation: n, Body: Gossip{}}})
		if got := b.c.members.incarnation(i); got != n {
			t.Errorf("%d, not %d", got, n)
		}
	}
	b.step(Unwatch{Node: b.peers[0]})
	b.step(Watch{b.peers[0]})
	if got := b.c.members.incarnation(b.c.members.find(b.peers[0])); got != 0 || b.c.members.incarnations != nil {
		t.Errorf("the next one begins at %d: %v", got, b.c.members.incarnations)
	}
}

func TestTheLastSuspicionLeavesNothingBehind(t *testing.T) {
	b := newBench(t, 5, Config{})
	for _, n := range b.peers[:2] {
		b.step(Heard{Fact{State: Suspect, Node: n, By: b.peers[3]}})
	}
	b.step(Received{b.peers[0], Message{Incarnation: 1, Body: Gossip{}}})
	if len(b.c.members.suspected) != 1 {
		t.Errorf("%d are suspected", len(b.c.members.suspected))
	}
	b.step(Unwatch{Node: b.peers[1]})
	if b.c.members.suspected != nil {
		t.Errorf("%v is left", b.c.members.suspected)
	}
}
