package causal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

func TestCausesAreDeliveredFirstInWhateverOrderMessagesCome(t *testing.T) {
	// A sends m1 to C, which is late, and m2 to B, who then sends m3 to C; A
	// sends m4 to C. The last two have nothing to do with each other.
	for _, c := range []struct{ come, want []int }{
		{[]int{1, 3, 4}, []int{1, 3, 4}},
		{[]int{1, 4, 3}, []int{1, 4, 3}},
		{[]int{3, 1, 4}, []int{1, 3, 4}},
		{[]int{3, 4, 1}, []int{1, 3, 4}},
		{[]int{4, 1, 3}, []int{1, 4, 3}},
		{[]int{4, 3, 1}, []int{1, 4, 3}},
	} {
		s := newStage(t, Config{})
		m1 := s.send("a", "c", "m1")
		m2 := s.send("a", "b", "m2")
		s.deliver(m2)
		m3 := s.send("b", "c", "m3")
		m4 := s.send("a", "c", "m4")
		numbers := map[int]int{1: m1, 3: m3, 4: m4}
		var want []string
		for i := range c.come {
			s.deliver(numbers[c.come[i]])
			want = append(want, fmt.Sprintf("m%d", c.want[i]))
		}
		s.delivered("c", want...)
	}
}

func TestMsg3WaitsForMsg2ThatWasSentBeforeMsg1(t *testing.T) {
	// The first node sends Msg2 to the third and then Msg1 to the second, who has
	// it before sending Msg3. Msg3 comes before Msg2, and waits.
	s := newStage(t, Config{})
	msg2 := s.send("a", "c", "Msg2")
	msg1 := s.send("a", "b", "Msg1")
	s.deliver(msg1)
	msg3 := s.send("b", "c", "Msg3")
	s.deliver(msg3)
	s.delivered("c")
	s.deliver(msg2)
	s.delivered("c", "Msg2", "Msg3")
}

func TestMsg3DoesNotWaitForMsg2ThatWasSentAfterMsg1(t *testing.T) {
	s := newStage(t, Config{})
	msg1 := s.send("a", "b", "Msg1")
	msg2 := s.send("a", "c", "Msg2")
	s.deliver(msg1)
	msg3 := s.send("b", "c", "Msg3")
	s.deliver(msg3)
	s.delivered("c", "Msg3")
	s.deliver(msg2)
	s.delivered("c", "Msg3", "Msg2")
}

func TestMsg3DoesNotWaitIfItWasSentBeforeMsg1Came(t *testing.T) {
	s := newStage(t, Config{})
	msg2 := s.send("a", "c", "Msg2")
	msg1 := s.send("a", "b", "Msg1")
	msg3 := s.send("b", "c", "Msg3")
	s.deliver(msg1, msg3)
	s.delivered("c", "Msg3")
	s.deliver(msg2)
	s.delivered("c", "Msg3", "Msg2")
}

func TestMessagesOfOneSenderStayInOrder(t *testing.T) {
	s := newStage(t, Config{})
	m1, m2, m3 := s.send("a", "b", "m1"), s.send("a", "b", "m2"), s.send("a", "b", "m3")
	s.deliver(m3, m2)
	s.delivered("b")
	s.deliver(m1)
	s.delivered("b", "m1", "m2", "m3")
}

func TestCausesAreKnownThroughAChainOfNodes(t *testing.T) {
	s := newStage(t, Config{})
	late := s.send("a", "z", "late")
	for _, hop := range []string{"ab", "bc", "cd", "de"} {
		s.deliver(s.send(hop[:1], hop[1:], "hop"))
	}
	last := s.send("e", "z", "last")
	s.deliver(last)
	s.delivered("z")
	s.deliver(late)
	s.delivered("z", "late", "last")
}

func TestWhatIsKnownToBeDeliveredIsNotToldAnyMore(t *testing.T) {
	for _, known := range []func(s *stage){
		func(s *stage) { s.deliver(s.send("c", "a", "answer")) },
		func(s *stage) { s.group("a").Delivered(node("c"), 1) },
	} {
		s := newStage(t, Config{})
		m1 := s.send("a", "c", "m1")
		stamp, err := s.group("a").Stamp(node("b"))
		if err != nil || len(stamp.Needs) != 1 {
			t.Fatalf("%+v, %v", stamp, err)
		}
		s.deliver(m1)
		known(s)
		stamp, err = s.group("a").Stamp(node("b"))
		if err != nil || len(stamp.Needs) != 0 || len(stamp.Done) != 1 {
			t.Fatalf("%+v, %v: want no needs, and that b is told so", stamp, err)
		}
		stamp, err = s.group("a").Stamp(node("b"))
		if err != nil || len(stamp.Needs)+len(stamp.Done) != 0 {
			t.Fatalf("%+v, %v: want nothing", stamp, err)
		}
	}
}

func TestNobodyIsToldWhatItHasSaid(t *testing.T) {
	// C has told a that b has m1; a does not tell c.
	s := newStage(t, Config{})
	m1 := s.send("a", "b", "m1")
	s.deliver(s.send("a", "c", "m2"), m1)
	s.deliver(s.send("c", "b", "m3"))
	s.deliver(s.send("b", "c", "m4"))
	s.deliver(s.send("c", "a", "m5"))
	stamp, err := s.group("a").Stamp(node("c"))
	if err != nil || len(stamp.Done) != 1 || stamp.Done[0] != (Entry{receiver, sender, 1}) {
		t.Fatalf("%+v, %v", stamp, err)
	}
}

func TestWhatWasDoneStaysDone(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	s.send("a", "c", "m2")
	for _, seq := range []Seq{2, 1} {
		s.group("a").Delivered(node("c"), seq)
		if live := s.group("a").Stats().Live; live != 0 {
			t.Fatalf("%d live pairs", live)
		}
	}
}

func TestDeliveredBelievesNothingThatWasNotSent(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	for _, seq := range []Seq{2, makeSeq(3, 1)} {
		s.group("a").Delivered(node("c"), seq)
	}
	s.group("a").Delivered(node("a"), 1)
	s.group("a").Delivered(node("nobody"), 1)
	if live := s.group("a").Stats().Live; live != 1 {
		t.Fatalf("%d live pairs", live)
	}
}

func TestDuplicatesAreDead(t *testing.T) {
	s := newStage(t, Config{})
	m1, m2 := s.send("a", "b", "m1"), s.send("a", "b", "m2")
	s.arrive(m2)
	s.arrive(m2) // while it waits
	s.arrive(m1)
	s.arrive(m1)
	s.arrive(m2)
	s.delivered("b", "m1", "m2")
	if len(s.lost["b"]) != 3 {
		t.Fatalf("dead: %q", s.lost["b"])
	}
	s.said("received before")
}

func TestThisNodeAndNobodyAreNotStamped(t *testing.T) {
	g, err := New[int](Config{Self: node("a")})
	if err != nil {
		t.Fatal(err)
	}
	long := node(string(make([]byte, maxName+1)))
	for id, want := range map[actor.NodeID]error{node("a"): ErrSelf, {}: ErrNode, long: ErrNode} {
		if _, err := g.Stamp(id); !errors.Is(err, want) {
			t.Errorf("Stamp: %v, want %v", err, want)
		}
		if _, err := g.Met(start, id); !errors.Is(err, want) {
			t.Errorf("Met: %v, want %v", err, want)
		}
		effects := g.Receive(start, id, Stamp{Seq: 1}, 7, 1)
		if len(effects) != 1 || !errors.Is(effects[0].(Dead[int]).Reason, want) || effects[0].(Dead[int]).Item != 7 {
			t.Errorf("Receive: %v, want %v", effects, want)
		}
		if effects := append(g.Obituary(start, id, true), g.GaveUp(id, 1)...); len(effects) > 0 {
			t.Errorf("%v", effects)
		}
	}
	if s := g.Stats(); s != (Stats{Members: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestConfigReportsAllMistakesAtOnce(t *testing.T) {
	_, err := New[int](Config{MaxWait: -1, MaxHeld: -1})
	for _, want := range []string{"Self", "MaxWait", "MaxHeld"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %s", err, want)
		}
	}
	_, err = New[int](Config{Self: node("a"), MaxWait: time.Hour, Forget: 90 * time.Minute})
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("Forget below twice MaxWait: %v", err)
	}
	// The default of one is held against the other.
	if _, err = New[int](Config{Self: node("a"), MaxWait: 13 * time.Hour}); err == nil {
		t.Error("MaxWait of 13 hours, and Forget of a day")
	}
	if _, err = New[int](Config{Self: node(string(make([]byte, 300)))}); err == nil {
		t.Error("a name that no stamp can tell")
	}
}
