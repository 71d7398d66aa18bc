package plumtree

import (
	"strings"
	"testing"
	"time"
)

// A node joins by a link over which it is no neighbor yet, and has something to say.
func TestWhatWasBroadcastToNobodyIsPushedToTheFirstNeighbor(t *testing.T) {
	s := newStage(t, Config{}, "a", "b", "c")
	s.link("b", "c")
	s.step("a", Broadcast{[]byte("one")})
	s.step("a", Broadcast{[]byte("two")})
	s.out.Reset()
	s.link("a", "b")
	s.said("a>b gossip a1 round 1", "a>b gossip a2 round 1")
	s.deliverAll()
	if s.got["c a1"] != 1 || s.got["c a2"] != 1 {
		t.Errorf("c has not got it: %v", s.got)
	}
}

// The first has made room for the new node by giving up a neighbor, who has it from
// the second; and what was said since goes to who was there.
func TestNextNeighborsArePushedItTooWhileItIsNew(t *testing.T) {
	s := newStage(t, Config{}, "a", "b", "c", "d")
	s.link("c", "d") // and b is alone by now
	s.step("a", Broadcast{[]byte("one")})
	s.link("a", "b")
	s.step("a", Broadcast{[]byte("two")})
	s.deliverAll()
	s.out.Reset()
	s.link("a", "c")
	s.deliverAll()
	if s.got["d a1"] != 1 {
		t.Errorf("d has not got it: %v", s.got)
	}
	if out := s.out.String(); strings.Contains(out, "a>c gossip a2") {
		t.Errorf("the second neighbor is pushed what the first was: %s", out)
	}
	s.wait(5*time.Second, true)
	s.out.Reset()
	s.link("a", "d")
	if out := s.out.String(); strings.Contains(out, "a>d gossip") {
		t.Errorf("the third is pushed what is old: %s", out)
	}
}

func TestFirstNeighborThatIsLostAtOnceTakesNothingWithIt(t *testing.T) {
	s := newStage(t, Config{}, "a", "b", "c")
	s.step("a", Broadcast{[]byte("one")})
	s.link("a", "b")
	s.step("a", NeighborDown{node("b")})
	s.link("a", "c")
	s.deliverAll()
	if s.got["c a1"] != 1 {
		t.Errorf("c has not got it: %v", s.got)
	}
}

// Of all that a node has said while it was alone, what is new is pushed, not what is
// first, and what is retained remains bounded.
func TestNodeThatWasAloneForLongPushesWhatIsNew(t *testing.T) {
	s := newStage(t, Config{MaxRepair: 4, MaxRetained: 64}, "a", "b")
	for range 500 {
		s.step("a", Broadcast{[]byte("again")})
		s.wait(500*time.Millisecond, true)
	}
	if n := len(s.cores["a"].cache); n > 64 {
		t.Errorf("%d messages are retained", n)
	}
	s.out.Reset()
	s.link("a", "b")
	s.said("a>b gossip a499 round 1", "a>b gossip a500 round 1")
}

func TestOldBroadcastsAreLeftToTheExchange(t *testing.T) {
	s := newStage(t, Config{}, "a", "b")
	s.step("a", Broadcast{[]byte("one")})
	s.wait(5*time.Second, true)
	s.link("a", "b")
	if out := s.out.String(); strings.Contains(out, "gossip") {
		t.Errorf("pushed after five seconds: %s", out)
	}
	s.wait(DefaultExchange, true)
	if s.got["b a1"] != 1 {
		t.Error("b never gets it")
	}
}
