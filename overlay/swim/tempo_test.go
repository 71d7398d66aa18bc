package swim

import (
	"slices"
	"testing"
	"time"
)

// answering ticks a core later than it has asked for, for d, and has all answer it after
// a while.
func (b *bench) answering(late, after, d time.Duration) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); {
		due := b.c.Deadline().Add(late)
		b.now = due
		to, pings := sent[Ping](b.c.Tick(b.now))
		b.now = b.now.Add(after)
		for n, p := range pings {
			b.hear(to[n], Ack(p))
		}
	}
}

func TestANodeThatIsCalledLateGivesMoreTime(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	if b.answering(DefaultLate/5, 0, 10*time.Second); b.c.slack() > 0 {
		t.Errorf("it is %v slack, though it was called soon enough", b.c.slack())
	}
	const late = 60 * time.Millisecond
	if b.answering(late, 0, 3*time.Second); b.c.slack() < 5*late {
		t.Errorf("it is %v slack, and %v late", b.c.slack(), late)
	}
	b.turn()
	p := b.c.probes[len(b.c.probes)-1]
	if p.direct.Sub(b.now) < DefaultTimeout+5*late || p.end.Sub(b.now) < DefaultPeriod+5*late || b.c.turnAt.Before(p.end) {
		t.Errorf("it asks others after %v, and somebody else after %v", p.direct.Sub(b.now), b.c.turnAt.Sub(b.now))
	}
	if b.answering(0, 0, 10*time.Second); b.c.slack() > 0 {
		t.Errorf("it is %v slack ten seconds later", b.c.slack())
	}
}

func TestAnswersThatTakeLongMakeForMoreTime(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	if b.answering(0, DefaultTimeout/3, 10*time.Second); b.c.slack() > 0 {
		t.Errorf("it is %v slack, though answers come in time", b.c.slack())
	}
	// It counts however late it comes, and once.
	who, ping := b.turn()
	for asked := b.now; b.now.Sub(asked) < DefaultPeriod; {
		b.tick()
	}
	b.hear(who, Ack(ping))
	if slack := b.c.slack(); slack < DefaultTimeout || slack > mostSlack*DefaultPeriod {
		t.Errorf("it is %v slack, though an answer took %v", slack, b.c.tempo.takes)
	}
	takes := b.c.tempo.takes
	if b.hear(who, Ack(ping)); b.c.tempo.takes != takes {
		t.Error("an answer counts twice")
	}
	if b.answering(0, 0, 10*time.Second); b.c.slack() > 0 {
		t.Errorf("it is %v slack ten seconds later", b.c.slack())
	}
}

// Two members that do not answer, one after the other, while nobody else does, have hardly
// failed both.
func TestTwoThatDoNotAnswerMakeForMoreTime(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	b.turn()
	b.turn()
	for began := b.now; b.now.Sub(began) < DefaultTimeout; {
		if helpers, _ := sent[PingReq](b.tick()); len(helpers) > 0 && b.now.Sub(began) >= DefaultTimeout {
			t.Errorf("%d are asked to help at once", len(helpers))
		}
	}
	if slack := b.c.slack(); slack < 2*DefaultTimeout {
		t.Errorf("it is %v slack", slack)
	}
	if b.hear(b.peers[0], Nack{Seq: b.c.probes[0].seq}); b.c.slack() > 0 && slices.Contains(b.c.probes[0].asked, 0) {
		t.Errorf("it is %v slack, though somebody else is well", b.c.slack())
	}
}

// What a busy node would say of others says nothing, and would only make for more to do.
func TestABusyNodeAsksNothingForOthers(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	ask := func() int {
		to, _ := sent[Ping](b.hear(b.peers[0], PingReq{Seq: 1, Target: b.peers[1]}))
		return len(to)
	}
	if ask() != 1 {
		t.Error("one that has time does not help")
	}
	b.c.tempo.takes = DefaultPeriod
	if ask() != 0 || b.c.Stats().Declined != 1 {
		t.Errorf("it helps, or says so: %+v", b.c.Stats())
	}
}

// That a connection is refused is soon known, and means as much from a busy node. That there
// is no answer means nothing.
func TestABusyNodeTellsOfRefusalsOnly(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	b.c.tempo.takes = DefaultPeriod
	for i, refused := range []bool{true, false} {
		target := b.peers[1+i]
		if to, _ := sent[Ping](b.hear(b.peers[0], PingReq{Seq: 7, Target: target, Reset: true})); len(to) != 1 || to[0] != target {
			t.Fatalf("it asks %v", to)
		}
		var answers []Nack
		if refused {
			_, answers = sent[Nack](b.step(LinkReset{target, true}))
		}
		for len(b.c.relays) > 0 {
			b.c.tempo.takes = DefaultPeriod
			_, more := sent[Nack](b.tick())
			answers = append(answers, more...)
		}
		if refused != (len(answers) == 1 && answers[0] == Nack{7, true}) || !refused && len(answers) > 0 {
			t.Errorf("refused %v: it answers %v", refused, answers)
		}
	}
}

// Whoever was stopped is as quick as before when it runs on: what was late is answered now.
func TestANodeThatWasStoppedIsQuickAgainAtOnce(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	who, first := b.turn()
	b.turn()
	b.now = b.c.Deadline().Add(10 * time.Second)
	b.c.Tick(b.now)
	b.hear(who, Ack(first))
	if b.c.slack() > 0 {
		t.Errorf("it is %v slack", b.c.slack())
	}
}

// Who has lost all its links knows why nobody answers, and need not be patient.
func TestANodeWithoutLinksIsNotPatient(t *testing.T) {
	b := newBench(t, 20, Config{Twice: true, Discreet: true, Crowd: 2, Fanout: -1, Stride: 10})
	b.step(Near{b.peers[3]})
	for _, linked := range []bool{true, false} {
		if !linked {
			b.step(Far{b.peers[3]})
		}
		b.answering(0, 0, 10*time.Second)
		b.c.tempo.asked[0] = question{b.c.seq + 1, 1, b.now.Add(1)}
		b.c.tempo.asked[1] = question{b.c.seq + 2, 2, b.now.Add(2)}
		b.c.now = b.now.Add(time.Second)
		if (b.c.slack() > 0) != linked {
			t.Errorf("linked %v: it is %v slack", linked, b.c.slack())
		}
		b.c.tempo.asked = [8]question{}
	}
}

// A hundred nodes on one machine, whose messages take three quarters of its time. It
// stands still for a while. What lies there then is late, and if all ask others because of
// that, and ask again, and tell all, it never gets done with what it has to do.
func TestABusyMachineGetsOverAPause(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		w := newWorld(9, 100, Config{Twice: true, Discreet: true, Fanout: -1})
		w.broadcast, w.effort = true, 1900*time.Microsecond
		w.run(20 * time.Second)
		before := w.counts.sent
		w.free = w.now + pause
		w.run(20 * time.Second)
		if behind := w.free - w.now; behind > 100*time.Millisecond {
			t.Errorf("after a pause of %v, it is %v behind", pause, behind)
		}
		if since := w.counts.sent - before; since > before || w.counts.spread > 0 {
			t.Errorf("after a pause of %v: %d messages, and %d before in as much time; %+v", pause, since, before, w.counts)
		}
		w.live(t)
	}
}

// Who is cut off from all of a few others finds out as soon as without tempo.
func TestAFewMembersThatFallSilentAreNotWaitedFor(t *testing.T) {
	for peers, patient := range map[int]bool{DefaultCrowd - 2: false, DefaultCrowd - 1: true} {
		b := newBench(t, peers, Config{Discreet: true, Fanout: -1})
		b.turn()
		b.turn()
		for began := b.now; b.now.Sub(began) < DefaultTimeout; {
			b.tick()
		}
		if slack := b.c.slack(); (slack > 0) != patient {
			t.Errorf("among %d others: %v slack", peers, slack)
		}
	}
}
