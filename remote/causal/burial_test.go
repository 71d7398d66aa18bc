package causal

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

func TestNodesThatCountedEachOtherDeadBeginAnewWhenTheyMeet(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m1"))
	s.send("a", "b", "lost")
	s.obituary("a", "b", false)
	s.obituary("b", "a", false)
	s.met("a", "b")
	s.met("b", "a")
	m2, m3 := s.send("a", "b", "m2"), s.send("b", "a", "m3")
	s.deliver(m2, m3)
	s.delivered("b", "m1", "m2")
	s.delivered("a", "m3")
}

func TestAMessageInANewEpochTakesAnObituaryBack(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m0"))
	old := s.send("a", "b", "old")
	s.obituary("b", "a", false)
	s.obituary("a", "b", false)
	s.met("a", "b")
	s.deliver(old)
	s.delivered("b", "m0")
	s.deliver(s.send("a", "b", "m1"))
	s.delivered("b", "m0", "m1")
	if n := s.send("b", "a", "m2"); n == 0 {
		t.Fatalf("%s", s.out.String())
	}
}

func TestANodeThatNeverKnewItWasBuriedIsToldWhereToBegin(t *testing.T) {
	for _, told := range []string{"by Met", "by a message", "by its own being late"} {
		s := newStage(t, Config{})
		s.deliver(s.send("a", "b", "m1"))
		s.obituary("b", "a", false)
		s.met("b", "a")
		switch told {
		case "by Met":
			s.deliver(s.count)
		case "by a message":
			s.deliver(s.send("b", "a", "hello"))
		default:
			s.deliver(s.send("a", "b", "x"))
			s.said("dead x 0.2 from a: causal: message too late")
			s.deliver(s.count)
		}
		s.deliver(s.send("a", "b", "m2"))
		s.delivered("b", "m1", "m2")
	}
}

func TestANodeThatWasBuriedMoreOftenThanItKnowsIsToldWhenItMeets(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m1"))
	for range 2 {
		s.obituary("b", "a", false)
		s.met("b", "a") // which a never hears
	}
	s.obituary("a", "b", false)
	s.met("a", "b")
	s.deliver(s.count) // a begins with numbers that b has passed
	s.deliver(s.count)
	s.deliver(s.send("a", "b", "m2"))
	s.delivered("b", "m1", "m2")
}

func TestOnlyTheReceiverSaysWhichNumbersItHasPassed(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	lie := Stamp{Void: true, Others: []actor.NodeID{node("c")}, Done: []Entry{{From: receiver, To: others, Seq: 9}}}
	s.carryOut("a", s.group("a").Receive(s.now, node("b"), lie, "", 0))
	stamp, err := s.group("a").Stamp(node("c"))
	if err != nil || stamp.Seq != 2 {
		t.Fatalf("%+v, %v", stamp, err)
	}
	// Nor does the liar hide later messages.
	if stamp, err = s.group("a").Stamp(node("d")); err != nil || len(stamp.Needs) != 1 {
		t.Fatalf("%+v, %v", stamp, err)
	}
	lie = Stamp{Void: true, Done: []Entry{{From: receiver, To: sender, Seq: 9}}}
	s.carryOut("a", s.group("a").Receive(s.now, node("c"), lie, "", 0))
	if stamp, err = s.group("a").Stamp(node("c")); err != nil || stamp.Seq != 10 {
		t.Fatalf("%+v, %v", stamp, err)
	}
}

func TestAFinalObituaryCannotBeTakenBack(t *testing.T) {
	for _, known := range []bool{false, true} {
		s := newStage(t, Config{})
		m1 := s.send("a", "b", "m1")
		if known {
			s.send("b", "a", "x")
		}
		s.obituary("b", "a", true)
		s.met("b", "a")
		s.said("b met a: causal: node buried")
		s.deliver(m1)
		s.said("dead m1 0.1 from a: causal: node buried")
		if s.send("b", "a", "y") != 0 {
			t.Fatal("sent to the dead")
		}
		if s.group("b").Stats().Members > 2 {
			t.Fatal("the dead has got a place")
		}
	}
}

func TestAFinalObituaryStaysFinal(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m1"))
	s.obituary("b", "a", true)
	s.obituary("b", "a", false)
	s.met("b", "a")
	s.said("b met a: causal: node buried")
	late := Stamp{Seq: makeSeq(9, 1)}
	s.carryOut("b", s.group("b").Receive(s.now, node("a"), late, "x", 1))
	s.said("dead x 9.1 from a: causal: node buried")
}

func TestNobodyIsToldOfMessagesToTheDead(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "d", "m1")
	s.obituary("a", "d", true)
	if got := s.group("a").Stats(); got.Live != 0 {
		t.Fatalf("%+v", got)
	}
	// Nor of those that others still tell of.
	s.send("b", "d", "m2")
	s.deliver(s.send("b", "a", "m3"))
	if got := s.group("a").Stats(); got.Live != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestTheForgottenAreNotTakenInAgainWhenOthersTellOfThem(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	s.deliver(s.send("a", "b", "m2"), s.send("a", "d", "m3"))
	s.obituary("d", "a", true)
	s.wait(2 * DefaultMaxWait)
	before := s.group("d").Stats().Members
	s.deliver(s.send("b", "d", "m4")) // b has had no obituary
	s.delivered("d", "m3", "m4")
	if got := s.group("d").Stats(); got.Members > before+2 || s.group("d").members[node("a")] != nil {
		t.Fatalf("%+v", got)
	}
}

func TestTheDeadKeepTheirPlaceWhileSomethingOfTheirsWaits(t *testing.T) {
	s := newStage(t, Config{})
	m1 := s.send("x", "b", "m1")
	s.deliver(s.send("x", "a", "y"))
	s.deliver(s.send("a", "b", "m2"))
	s.obituary("b", "a", true)
	s.now = s.now.Add(2 * DefaultMaxWait) // nobody calls Tick in time
	s.obituary("b", "z", true)
	s.obituary("b", "a", true)
	s.delivered("b")
	s.deliver(m1)
	s.delivered("b", "m1", "m2")
	s.wait(0)
	if got := s.group("b").Stats(); got.Buried != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestWhatWaitsOutlivesThePlaceOfTheDeadItTellsOf(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "x", "m1")
	s.deliver(s.send("a", "b", "m2"))
	s.obituary("c", "a", true)
	s.deliver(s.send("x", "c", "hello"))
	s.wait(2*DefaultMaxWait - time.Second)
	first := s.send("b", "c", "m3")
	s.deliver(s.send("b", "c", "m4"))
	s.obituary("c", "a", true)
	s.wait(2 * time.Second)
	if got := s.group("c").Stats(); got.Buried != 0 || got.Waiting != 1 {
		t.Fatalf("%+v", got)
	}
	s.deliver(first)
	s.delivered("c", "hello", "m3", "m4")
}

func TestAnObituaryReleasesWhatWaitsForAnEpochOfWhichNothingHasCome(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "c", "m1"))
	s.obituary("a", "c", false)
	s.met("a", "c")
	s.send("a", "c", "lost") // the first of epoch 1
	s.deliver(s.send("a", "b", "m2"))
	s.deliver(s.send("b", "c", "m3"))
	s.delivered("c", "m1")
	s.obituary("c", "a", false)
	s.delivered("c", "m1", "m3")
}

func TestAnObituaryOfAStrangerKeepsItOutUntilItIsMet(t *testing.T) {
	s := newStage(t, Config{})
	s.obituary("b", "a", false)
	if s.send("b", "a", "x") != 0 {
		t.Fatal("sent to the dead")
	}
	s.met("b", "a")
	s.deliver(s.send("b", "a", "m1"))
	s.delivered("a", "m1")

	// After Config.Forget it is too late.
	s.obituary("b", "z", false)
	s.wait(DefaultForget)
	s.met("b", "z")
	s.said("b met z: causal: node buried")
}

func TestABuriedNodeIsForgottenAfterForget(t *testing.T) {
	s := newStage(t, Config{Forget: time.Hour})
	s.deliver(s.send("a", "b", "m1"))
	s.send("b", "a", "unanswered")
	s.obituary("b", "a", false)
	s.wait(time.Hour - 1)
	if got := s.group("b").Stats(); got.Members != 2 || got.Live != 1 {
		t.Fatalf("%+v", got)
	}
	s.wait(1)
	if got := s.group("b").Stats(); got.Members != 1 || got.Live != 0 || got.Buried != 0 {
		t.Fatalf("%+v", got)
	}
	s.met("b", "a")
	s.said("b met a: causal: node buried")
}

func TestWhatTheDeadHasSentToOthersIsToldAsLongAsTheyMayWaitForIt(t *testing.T) {
	// B has the final obituary of a before c has m1, and before it hears of m1.
	s := newStage(t, Config{})
	m1 := s.send("a", "c", "m1")
	s.deliver(s.send("a", "d", "x"))
	s.deliver(s.send("a", "b", "y"))
	s.obituary("b", "a", true)
	s.deliver(s.send("d", "b", "z"))
	s.deliver(s.send("b", "c", "m2"))
	s.delivered("c")
	s.deliver(m1)
	s.delivered("c", "m1", "m2")
	s.wait(2 * DefaultMaxWait)
	if got := s.group("b").Stats(); got.Buried != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestALaterIncarnationMakesAnObituaryFinal(t *testing.T) {
	for _, order := range [][]string{{"a", "obituary", "a.2"}, {"a", "a.2", "obituary"}, {"a.2", "a", "obituary"}} {
		s := newStage(t, Config{})
		for _, what := range order {
			if what == "obituary" {
				s.obituary("b", "a", false)
			} else {
				s.deliver(s.send(what, "b", "m"))
			}
		}
		s.met("b", "a")
		s.said("b met a: causal: node buried")
		s.wait(2 * DefaultMaxWait)
		if got := s.group("b").Stats(); got.Members != 2 || got.Buried != 0 {
			t.Fatalf("%+v", got)
		}
	}
}

func TestAnEarlierIncarnationDoesNotEndALaterOne(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a.2", "b", "m2"))
	s.deliver(s.send("a", "b", "m1"))
	s.obituary("b", "a.2", false)
	s.met("b", "a.2")
	if s.send("b", "a.2", "x") == 0 {
		t.Fatalf("%s", s.out.String())
	}
}
