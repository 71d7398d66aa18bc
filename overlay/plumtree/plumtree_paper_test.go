package plumtree

// What Leitão, Pereira and Rodrigues say in "Epidemic Broadcast Trees" (SRDS
// 2007), by the titles of its sections. World and stage are the tests' own.

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// said fails unless the stage has printed each line, in this order.
func (s *stage) said(lines ...string) {
	s.t.Helper()
	rest := s.out.String()
	for _, line := range lines {
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			s.t.Fatalf("no %q in:\n%s", line, rest)
		}
		rest = after
	}
	s.out.Reset()
}

func (s *stage) eager(at, of string) bool { return slices.Contains(s.cores[at].Eager(), node(of)) }

// triangle is a, b and c, each linked to the others, after one message of a.
func triangle(t *testing.T) *stage {
	s := newStage(t, Config{Exchange: time.Hour}, "a", "b", "c")
	s.link("a", "b")
	s.link("b", "c")
	s.link("a", "c")
	s.step("a", Broadcast{[]byte("one")})
	s.deliverAll()
	s.wait(2*time.Second, true)
	s.out.Reset()
	s.last = 0
	return s
}

// "Gossip and Tree Construction": at first the set of eager peers holds all
// neighbors, the lazy one none.
func TestPaperNeighborsAreEagerInTheBeginning(t *testing.T) {
	s := newStage(t, Config{}, "a", "b")
	s.link("a", "b")
	if !s.eager("a", "b") || !s.eager("b", "a") || len(s.cores["a"].Lazy()) > 0 {
		t.Error("a new neighbor is not eager")
	}
}

// "Gossip and Tree Construction": the receiver of a duplicate moves its sender
// to the lazy peers and sends a PRUNE, on which the sender does the same.
func TestPaperDuplicatePrunesTheLinkOnBothSides(t *testing.T) {
	s := triangle(t)
	if s.eager("b", "c") || s.eager("c", "b") || !s.eager("b", "a") || !s.eager("c", "a") {
		s.trees()
		t.Errorf("the tree is not a star:\n%s", s.out.String())
	}
}

// "Gossip and Tree Construction": who sends a message for the first time is, or
// becomes, an eager peer.
func TestPaperSenderOfANewMessageBecomesEager(t *testing.T) {
	s := triangle(t)
	s.step("b", Received{node("c"), Gossip{ID: ID{node("a"), 2}, Round: 2}})
	if !s.eager("b", "c") {
		t.Error("c is lazy")
	}
}

// "Gossip and Tree Construction", lazy push: IHAVE messages hold the identifier
// only and can be piggybacked and aggregated.
func TestPaperLazyPeersAreToldOfSeveralMessagesAtOnce(t *testing.T) {
	s := triangle(t)
	s.step("a", Broadcast{[]byte("two")})
	s.step("a", Broadcast{[]byte("three")})
	s.deliverAll()
	s.out.Reset()
	s.wait(DefaultLazy, false)
	s.said("b>c ihave a2 round 2 a3 round 2")
}

// "Fault Tolerance and Tree Repair": an IHAVE starts a timer and no more; when it
// expires the first that has announced is sent a GRAFT, which adds the link to
// the tree and asks for the payload; then a second, shorter timeout runs until
// the next one is asked.
func TestPaperGraftWaitsForTheFirstTimeoutThenForTheSecond(t *testing.T) {
	s := triangle(t)
	announce := IHave{[]Announcement{{ID{node("a"), 2}, 2}}}
	s.step("c", Received{node("b"), announce})
	s.step("c", Received{node("a"), announce})
	if s.wait(DefaultFirst-1, false); s.out.Len() > 0 {
		t.Fatalf("before the first timeout: %s", s.out.String())
	}
	s.wait(1, false) // a link that is eager is asked first: it costs nothing
	s.said("c>a graft a2")
	if s.wait(DefaultSecond-1, false); s.out.Len() > 0 || DefaultSecond >= DefaultFirst {
		t.Fatalf("before the second timeout: %s", s.out.String())
	}
	s.wait(1, false)
	s.said("c>b graft a2")
	if !s.eager("c", "b") {
		t.Error("who is grafted stays lazy")
	}
}

// "Fault Tolerance and Tree Repair": a payload that comes cancels the timer.
func TestPaperPayloadCancelsTheTimer(t *testing.T) {
	s := triangle(t)
	s.step("c", Received{node("b"), IHave{[]Announcement{{ID{node("a"), 2}, 2}}}})
	s.step("c", Received{node("a"), Gossip{ID: ID{node("a"), 2}, Round: 1}})
	s.out.Reset()
	if s.wait(5*time.Second, false); strings.Contains(s.out.String(), "graft") {
		t.Errorf("%s", s.out.String())
	}
}

// "Dynamic Membership": who leaves is removed from both sets, and its IHAVEs are
// forgotten; who joins is added to the eager peers.
func TestPaperNeighborThatLeavesIsForgottenWithItsAnnouncements(t *testing.T) {
	s := triangle(t)
	s.step("c", Received{node("b"), IHave{[]Announcement{{ID{node("a"), 2}, 2}}}})
	s.step("c", NeighborDown{node("b")})
	s.out.Reset()
	if s.wait(5*time.Second, false); strings.Contains(s.out.String(), "graft") || len(s.cores["c"].Lazy()) > 0 {
		t.Errorf("%s", s.out.String())
	}
	s.step("c", NeighborUp{node("b")})
	if !s.eager("c", "b") {
		t.Error("who comes back is lazy")
	}
}

// "Optimization": if an announcement came with a round that is less than that of
// the payload by the threshold, its sender is sent a GRAFT and the payload's a
// PRUNE; if it is less by one less, not.
func TestPaperPathIsExchangedForOneShorterByTheThreshold(t *testing.T) {
	for _, less := range []int{DefaultThreshold - 1, DefaultThreshold} {
		s := triangle(t)
		s.step("c", Received{node("b"), IHave{[]Announcement{{ID{node("a"), 2}, 2}}}})
		s.step("c", Received{node("a"), Gossip{ID: ID{node("a"), 2}, Round: 2 + less}})
		if less < DefaultThreshold {
			if s.eager("c", "b") || !s.eager("c", "a") {
				t.Errorf("%d hops change the tree", less)
			}
			continue
		}
		s.said("c>b graft a0", "c>a prune a")
		if !s.eager("c", "b") || s.eager("c", "a") {
			t.Errorf("%d hops do not change the tree", less)
		}
	}
}

// "Experimental Evaluation": relative message redundancy is m/(n-1)-1, about the
// fanout less one for eager push gossip, and about zero for Plumtree once the
// tree is there.
func TestPaperRedundancyFallsFromThatOfFloodingToNone(t *testing.T) {
	const n = 200
	w := newWorld(t, 11, n, Config{})
	if r := w.measure(0, 2*time.Second); r.redundancy < 2.5 {
		t.Errorf("flooding has a redundancy of %.3f", r.redundancy)
	}
	for range 3 {
		if r := w.measure(0, 2*time.Second); r.redundancy != 0 || r.reached != n {
			t.Errorf("redundancy %.3f, reached %d", r.redundancy, r.reached)
		}
	}
}

// "Experimental Evaluation", massive failures: the tree recovers after many nodes
// fail at once, and the redundancy falls again.
func TestPaperTreeRecoversFromMassiveFailures(t *testing.T) {
	const n = 300
	w := newWorld(t, 12, n, Config{})
	for range 3 {
		w.measure(0, 2*time.Second)
	}
	for i := range n {
		if i%2 == 1 {
			w.crash(i)
		}
	}
	for i := 0; i < n; i += 2 { // the membership protocol's part
		for w.connect(i, (i+2)%n); len(w.neighbors(i)) < 4; {
			w.connect(i, w.rng.IntN(n))
		}
	}
	first := w.measure(0, 10*time.Second)
	var r round
	for range 3 {
		r = w.measure(0, 5*time.Second)
	}
	t.Logf("after half of %d nodes have crashed: first message reached %d with redundancy %.3f, later %d with %.3f", n, first.reached, first.redundancy, r.reached, r.redundancy)
	if first.reached != n/2 || r.reached != n/2 || r.redundancy >= 0.05 {
		t.Errorf("first %+v, later %+v", first, r)
	}
}
