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
	s.out.Reset()
	s.link("a", "c")
	if out := s.out.String(); strings.Contains(out, "a>c gossip") {
		t.Errorf("the second neighbor is pushed it as well: %s", out)
	}
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
