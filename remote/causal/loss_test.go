package causal

import (
	"testing"
	"time"
)

// waiting returns a stage on which m3 waits at c for m1, which a has sent.
func waiting(t *testing.T, cfg Config) (s *stage, m1 int) {
	s = newStage(t, cfg)
	m1 = s.send("a", "c", "m1")
	s.deliver(s.send("a", "b", "m2"))
	s.deliver(s.send("b", "c", "m3"))
	s.delivered("c")
	return s, m1
}

func TestAnObituaryReleasesWhatWaitsForTheDead(t *testing.T) {
	for _, final := range []bool{false, true} {
		s, _ := waiting(t, Config{})
		s.obituary("c", "a", final)
		s.delivered("c", "m3")
		s.said("1 waiting released, a lacks 0.1-0.1: causal: node buried")
	}
}

func TestWhatNeedsTheDeadLaterDoesNotWait(t *testing.T) {
	s, _ := waiting(t, Config{})
	s.send("a", "c", "lost too")
	s.deliver(s.send("a", "b", "of which b knows"))
	s.obituary("c", "a", false)
	s.delivered("c", "m3")
	s.deliver(s.send("b", "c", "m4"))
	s.delivered("c", "m3", "m4")
}

func TestTheDeadIsNotSentToNorTaken(t *testing.T) {
	s, m1 := waiting(t, Config{})
	s.obituary("c", "a", false)
	if n := s.send("c", "a", "x"); n != 0 {
		t.Fatal("sent to the dead")
	}
	s.deliver(m1)
	s.delivered("c", "m3")
	s.said("dead m1 0.1 from a: causal: node buried")
}

func TestWhatTheDeadHasSentInTimeIsDelivered(t *testing.T) {
	s := newStage(t, Config{})
	s.send("b", "c", "m1")
	s.deliver(s.send("b", "a", "m2"))
	m3 := s.send("a", "c", "m3") // waits for m1, which b has sent
	s.deliver(m3)
	s.obituary("c", "a", true)
	s.delivered("c")
	s.deliver(1)
	s.delivered("c", "m1", "m3")
}

func TestAGivenUpMessageIsNotWaitedFor(t *testing.T) {
	s, m1 := waiting(t, Config{})
	s.gaveUp("a", "c", 1)
	s.deliver(s.count) // the notification
	s.delivered("c", "m3")
	s.said("a lacks 0.1-0.1: causal: message given up by its sender")
	s.deliver(m1)
	s.delivered("c", "m3")
	s.said("dead m1 0.1 from a: causal: message too late")
}

func TestALaterMessageSaysWhatWasGivenUpIfTheNotificationIsLost(t *testing.T) {
	s, _ := waiting(t, Config{})
	s.gaveUp("a", "c", 1)
	s.deliver(s.send("a", "c", "m4"))
	s.delivered("c", "m3", "m4")
}

func TestAGivenUpMessageThatComesFirstIsDelivered(t *testing.T) {
	s := newStage(t, Config{})
	m1, m2 := s.send("a", "b", "m1"), s.send("a", "b", "m2")
	s.gaveUp("a", "b", 2)
	s.deliver(s.count)
	s.deliver(m2)
	s.deliver(m1)
	s.delivered("b", "m1", "m2")
}

func TestWhatIsGivenUpIsToldInFewSpans(t *testing.T) {
	s := newStage(t, Config{})
	for i := 1; i <= 3*maxSpans; i++ {
		s.send("a", "b", "m")
		if i%2 == 0 {
			s.gaveUp("a", "b", Seq(i))
		}
	}
	last := s.send("a", "b", "last")
	if stamp, err := ParseStamp(s.letters[last].stamp); err != nil || len(stamp.Gone) != maxSpans {
		t.Fatalf("%d spans, %v", len(stamp.Gone), err)
	}
}

func TestWhatHasBeenDeliveredIsNotMissing(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "c", "m1"))
	s.send("a", "c", "lost")
	s.deliver(s.send("a", "b", "m2"))
	s.deliver(s.send("b", "c", "m3"))
	s.gaveUp("a", "c", 1) // a does not know that it came
	s.gaveUp("a", "c", 2)
	s.deliver(s.count)
	s.delivered("c", "m1", "m3")
	s.said("1 waiting released, a lacks 0.2-0.2:")
}

func TestGaveUpOfWhatIsNotOnItsWayHasNoEffect(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m1"))
	s.deliver(s.send("b", "a", "answer"))
	before := s.count
	for _, seq := range []Seq{0, 1, 2, makeSeq(1, 1)} { // none, delivered, never sent
		s.gaveUp("a", "b", seq)
	}
	s.gaveUp("a", "nobody", 1)
	if s.count != before {
		t.Fatalf("%s", s.out.String())
	}
}

func TestAMessageWaitsNoLongerThanMaxWait(t *testing.T) {
	s, m1 := waiting(t, Config{MaxWait: 10 * time.Second})
	if due := s.group("c").Deadline(); !due.Equal(start.Add(10 * time.Second)) {
		t.Fatalf("due at %v", due)
	}
	s.wait(10*time.Second - 1)
	s.delivered("c")
	s.wait(1)
	s.delivered("c", "m3")
	s.said("a lacks 0.1-0.1: causal: waited too long")
	if due := s.group("c").Deadline(); !due.IsZero() {
		t.Fatalf("due at %v", due)
	}
	s.deliver(m1)
	s.said("dead m1 0.1 from a: causal: message too late")
	// The sender hears that it was passed, and tells nobody any more.
	s.deliver(s.count)
	if live := s.group("a").Stats().Live; live != 1 {
		t.Fatalf("%d live pairs", live)
	}
}

func TestWhatIsReleasedComesAfterWhatItWaitsForThatHasCome(t *testing.T) {
	// m3 waits for m1 and n2; n2, which came later, waits for n1. Time releases
	// m3, and n2 has to go before it.
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	s.send("d", "c", "n1")
	n2 := s.send("d", "c", "n2")
	s.deliver(s.send("a", "b", "x"))
	s.deliver(s.send("d", "b", "y"))
	m3 := s.send("b", "c", "m3")
	s.deliver(m3)
	s.wait(time.Second)
	s.deliver(n2)
	s.wait(DefaultMaxWait - time.Second)
	s.delivered("c", "n2", "m3")
}

func TestNoMoreThanMaxHeldMessagesWait(t *testing.T) {
	s := newStage(t, Config{MaxHeld: 3})
	s.send("a", "b", "lost")
	for _, item := range []string{"m1", "m2", "m3"} {
		s.deliver(s.send("a", "b", item))
	}
	s.delivered("b")
	s.deliver(s.send("a", "b", "m4"))
	s.delivered("b", "m1", "m2", "m3", "m4")
	s.said("a lacks 0.1-0.1: causal: too much waits")
}

func TestOnlyTheOldestIsReleasedIfTooMuchWaits(t *testing.T) {
	s := newStage(t, Config{MaxHeld: 2})
	for _, from := range []string{"x", "y", "z"} {
		s.send(from, "b", "lost")
		s.deliver(s.send(from, "b", from))
	}
	s.delivered("b", "x")
	if got := s.group("b").Stats().Waiting; got != 2 {
		t.Fatalf("%d wait", got)
	}
}

func TestNoMoreThanMaxBytesWait(t *testing.T) {
	s := newStage(t, Config{MaxBytes: 2000})
	s.send("a", "b", "lost")
	big := string(make([]byte, 1500))
	s.deliver(s.send("a", "b", "m1"))
	s.delivered("b")
	s.deliver(s.send("a", "b", big))
	s.deliver(s.send("a", "b", "m2"))
	if got := s.group("b").Stats(); got.Bytes > 2000 || len(s.got["b"]) != 0 && got.Waiting != 0 {
		t.Fatalf("%+v", got)
	}
	s.send("c", "b", "lost")
	s.deliver(s.send("c", "b", big+big)) // alone too much
	if got := s.group("b").Stats(); got.Bytes != 0 || got.Waiting != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestAMessageOfNoSizeTakesMemory(t *testing.T) {
	g, err := New[int](Config{Self: node("a")})
	if err != nil {
		t.Fatal(err)
	}
	g.Receive(start, node("b"), Stamp{Seq: 2}, 0, -1000)
	if got := g.Stats(); got.Bytes <= 0 {
		t.Fatalf("%+v", got)
	}
}

func TestAnEffectIsNotRememberedAfterTheNextCall(t *testing.T) {
	s := newStage(t, Config{})
	s.deliver(s.send("a", "b", "m1"))
	g := s.group("b")
	g.Tick(s.now)
	for _, e := range g.effects[:cap(g.effects)] {
		if e != nil {
			t.Fatalf("%+v", e)
		}
	}
}
