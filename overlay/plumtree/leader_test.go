package plumtree

import (
	"strings"
	"testing"
	"time"
)

// c's path for b's messages is long, and a's announcement says that it could be
// short. a comes before b, and has broadcast a while ago.
func TestPathsAreShortenedForOneSenderOnly(t *testing.T) {
	for _, silence := range []time.Duration{5 * time.Second, DefaultRetain} {
		s := triangle(t)
		s.wait(silence, true)
		s.out.Reset()
		s.step("c", Received{node("b"), IHave{[]Announcement{{ID{node("b"), 1}, 1}}}})
		s.step("c", Received{node("a"), Gossip{ID: ID{node("b"), 1}, Round: 9}})
		if changed := strings.Contains(s.out.String(), "graft"); changed != (silence == DefaultRetain) {
			t.Errorf("after %v of silence of who comes first: %s", silence, s.out.String())
		}
	}
}

// c is cut off from a, whose messages it only hears of, while b's come. Although
// nothing of a has come lately, a leads, so that a graft mends the tree.
func TestWhoIsOnlyAnnouncedLeadsAllTheSame(t *testing.T) {
	s := triangle(t)
	s.step("c", NeighborDown{node("a")})
	s.wait(5*time.Second, true)
	s.step("c", Received{node("b"), Gossip{ID: ID{node("b"), 1}, Round: 1}})
	s.step("c", Received{node("b"), Prune{node("b")}})
	s.step("c", Received{node("b"), IHave{[]Announcement{{ID{node("a"), 2}, 2}}}})
	s.out.Reset()
	s.wait(DefaultFirst, false)
	if out := s.out.String(); !strings.Contains(out, "c>b graft a2\n") || !s.eager("c", "b") {
		t.Errorf("%s", out)
	}
}

func TestTreeOfASilentOriginGoesToAnother(t *testing.T) {
	s := newStage(t, Config{PerOrigin: true, MaxTrees: 1, Exchange: 10 * time.Second}, "a", "b", "c")
	s.link("a", "b")
	s.link("b", "c")
	s.step("a", Broadcast{[]byte("one")})
	s.deliverAll()
	s.step("b", Broadcast{[]byte("two")})
	s.deliverAll()
	b := s.cores["b"]
	if b.origin(node("a")).tree == nil || b.origin(node("b")).tree != nil {
		t.Fatal("the first has no tree, or the second has one")
	}
	s.wait(2*DefaultRetain+20*time.Second, true)
	if b.Stats().Trees != 0 {
		t.Error("who is silent keeps its tree")
	}
	s.step("c", Broadcast{[]byte("three")})
	s.deliverAll()
	if b.origin(node("c")).tree == nil {
		t.Error("a new origin has no tree")
	}
	s.step("b", Received{node("c"), Prune{node("c")}})
	if got := nodeNames(b.EagerFor(node("c"))); got != "[a]" {
		t.Errorf("for c's messages %s are eager", got)
	}
	if got := nodeNames(b.Eager()); got != "[a c]" {
		t.Errorf("for others %s are eager", got)
	}
}
