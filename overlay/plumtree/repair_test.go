package plumtree

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// announce has b and a announce a2 to c, b first; c's link to both is lazy.
func announced(t *testing.T) *stage {
	s := triangle(t)
	s.step("c", Received{node("a"), Prune{node("a")}})
	for _, from := range []string{"b", "b", "a", "b"} {
		s.step("c", Received{node(from), IHave{[]Announcement{{ID{node("a"), 2}, 2}}}})
	}
	s.out.Reset()
	return s
}

func TestWhoCannotAnswerAGraftIsFollowedByTheNextAtOnce(t *testing.T) {
	s := announced(t)
	s.wait(DefaultFirst, false)
	s.said("c>b graft a2")
	s.deliverAll() // neither has it, in truth
	s.said("b>c repair gone a2-2", "c>a graft a2", "a>c repair gone a2-2")
	if s.cores["c"].Stats().Missing != 0 {
		t.Error("there is still a timer")
	}
}

func TestEachAnnouncerIsAskedOnceHoweverOftenItAnnounces(t *testing.T) {
	s := announced(t)
	s.wait(5*time.Second, false)
	if out := s.out.String(); strings.Count(out, "graft") != 2 || !strings.Contains(out, "c>b graft a2\n#2 c>a graft a2\n") {
		t.Errorf("%s", out)
	}
}

// b lacks the second message of each of six origins. A digest tells of two at a
// time.
func TestOriginsAreToldOfInTurnUntilAllAreRepaired(t *testing.T) {
	s := newStage(t, Config{MaxDigest: 2, Exchange: 5 * time.Second}, "a", "b")
	s.link("a", "b")
	s.wait(20*time.Second, true)
	for i := range 6 {
		origin := node(fmt.Sprint("n", i))
		s.step("a", Received{node("stranger"), Gossip{ID: ID{origin, 1}, Round: 1}})
		s.deliverAll()
		s.step("a", Received{node("stranger"), Gossip{ID: ID{origin, 2}, Round: 1}})
		s.letters = map[int]letter{} // are lost
	}
	s.wait(55*time.Second, true)
	for i := range 6 {
		if n := s.got[fmt.Sprintf("b n%d2", i)]; n != 1 {
			t.Errorf("what n%d has sent is delivered %d times", i, n)
		}
	}
}

// More is missing than one answer may bring: it is brought all the same, in one
// go, while it is retained.
func TestLongBacklogIsRepairedInOneGo(t *testing.T) {
	s := newStage(t, Config{MaxRepair: 10, Retain: 10 * time.Second}, "a", "b")
	for i := range 95 {
		s.step("a", Broadcast{[]byte(fmt.Sprint(i))})
	}
	s.wait(5*time.Second, true)
	s.link("a", "b")
	s.wait(time.Second, true)
	if n := s.cores["b"].Stats().Repaired; n != 95 {
		t.Errorf("%d of 95 are repaired:\n%s", n, s.out.String())
	}
}

// b remembers z, whose messages are retained no more. It says so to c, which is
// new, but not when it is about to forget z itself: else they would remind each
// other of it for ever.
func TestNodesDoNotRemindEachOtherOfAnOriginForEver(t *testing.T) {
	for _, silence := range []time.Duration{2 * time.Minute, 6 * time.Minute} {
		s := newStage(t, Config{Forget: 10 * time.Minute}, "b", "c")
		s.step("b", Received{node("stranger"), Gossip{ID: ID{node("z"), 1}, Round: 1}})
		s.wait(silence, true)
		s.link("b", "c")
		s.wait(11*time.Second, true)
		if told := s.cores["c"].Stats().Origins == 1; told != (silence < 5*time.Minute) {
			t.Errorf("after %v c was told (%v):\n%s", silence, told, s.out.String())
		}
		s.wait(10*time.Minute-silence+20*time.Second, true)
		if b, c := s.cores["b"].Stats().Origins, s.cores["c"].Stats().Origins; b+c > 0 {
			t.Errorf("z is not forgotten: b remembers %d, c %d", b, c)
		}
	}
}

func TestOldDuplicateDoesNotPrune(t *testing.T) {
	s := triangle(t)
	for _, age := range []time.Duration{10 * time.Second, 0} {
		s.step("b", Received{node("a"), Gossip{ID: ID{node("a"), 1}, Round: 1, Age: age}})
		if s.eager("b", "a") != (age > 0) {
			t.Errorf("a duplicate %v old: a is eager: %v", age, s.eager("b", "a"))
		}
	}
}

func TestWhatIsRepairedIsPushedToNobody(t *testing.T) {
	s := triangle(t)
	s.step("b", Received{node("a"), Repair{Messages: []Gossip{{ID: ID{node("a"), 2}, Round: 1, Age: time.Second}}}})
	if out := s.out.String(); strings.Contains(out, "gossip") {
		t.Errorf("%s", out)
	}
	s.wait(DefaultLazy, false)
	s.said("b>c ihave a2 round 2")
	s.step("b", Received{node("a"), Repair{Messages: []Gossip{{ID: ID{node("a"), 2}, Round: 1, Age: time.Second}}}})
	if out := s.out.String(); out != "" {
		t.Errorf("what is known is answered: %s", out)
	}
}
