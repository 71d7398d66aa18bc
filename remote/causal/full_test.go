package causal

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/actor"
)

// crowd fills a's group with n1, n2 and so on, but for empty places.
func crowd(t *testing.T, empty int) *stage {
	s := newStage(t, Config{})
	for i := 1; i < MaxMembers-empty; i++ {
		s.deliver(s.send("a", fmt.Sprintf("n%d", i), "hello"))
	}
	return s
}

func TestAFullGroupTakesNobodyUntilAFinalBurial(t *testing.T) {
	s := crowd(t, 0)
	if s.send("a", "late", "x") != 0 {
		t.Fatal("a group of more than MaxMembers")
	}
	s.said("a>late x: causal: group full")
	from := s.send("late", "a", "y")
	s.deliver(from)
	s.said("dead y 0.1 from late: causal: group full")

	// One that may come back keeps its place, one that may not gives it.
	s.obituary("a", "n1", false)
	if s.send("a", "late", "x") != 0 {
		t.Fatal("a place was taken of one who may come back")
	}
	s.obituary("a", "n1", true)
	if s.send("a", "late", "m1") == 0 {
		t.Fatalf("%s", s.out.String())
	}
	s.deliver(s.count)
	s.delivered("late", "m1")
}

func TestAMessageThatNamesTooManyIsDeadAndWhatFollowsDoesNotWait(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("x", "a", "m0"))
	for i := 2; i < MaxMembers; i++ {
		s.send("a", fmt.Sprintf("n%d", i), "hello")
	}
	s.send("x", "stranger", "y")
	m1 := s.send("x", "a", "m1")
	m2 := s.send("x", "a", "m2")
	s.deliver(m1)
	s.said("dead m1 0.2 from x: causal: group full")
	s.obituary("a", "n2", true)
	s.deliver(m2)
	s.delivered("a", "m0", "m2")
}

func TestAPlaceThatIsTakenAgainHasNoPast(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("b", "a", "m1"), s.send("a", "b", "m2"))
	s.deliver(s.send("b", "c", "m3"))
	s.deliver(s.send("c", "a", "m4"))
	slot := s.group("a").members[node("b")].slot
	s.obituary("a", "b", true)
	s.wait(2 * DefaultMaxWait)
	s.deliver(s.send("d", "a", "m5"))
	if m := s.group("a").members[node("d")]; m.slot != slot {
		t.Fatalf("slot %d, not %d", m.slot, slot)
	}
	stamp, err := s.group("a").Stamp(node("d"))
	if err != nil || len(stamp.Needs) != 0 || len(stamp.Done) != 1 || stamp.Done[0] != (Entry{receiver, sender, 1}) {
		t.Fatalf("%+v, %v", stamp, err)
	}
}

func TestThePlaceOfTheDeadIsKeptWhileOthersMayWaitForIt(t *testing.T) {
	s := crowd(t, 0)
	s.send("n1", "n2", "late")
	s.deliver(s.send("n1", "a", "m1"))
	s.obituary("a", "n1", true)
	if s.send("a", "stranger", "x") != 0 {
		t.Fatal("the place was taken")
	}
}

func TestAPlaceThatIsTakenAgainInTheMiddleOfAStampHasNoPast(t *testing.T) {
	// The stamp tells of the dead n1, and of a stranger who takes its place.
	s := crowd(t, 0)
	s.obituary("a", "n1", true)
	stamp := Stamp{
		Seq: 1, Others: []actor.NodeID{node("n1"), node("stranger")},
		Needs: []Entry{{sender, others + 1, 5}}, Done: []Entry{{others, sender, 9}},
	}
	s.carryOut("a", s.group("a").Receive(s.now, node("n2"), stamp, "m", 1))
	m := s.group("a").members[node("stranger")]
	if m == nil || s.group("a").rows[m.slot].done != [MaxMembers]Seq{} {
		t.Fatalf("%+v", m)
	}
}
