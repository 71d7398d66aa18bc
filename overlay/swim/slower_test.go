package swim

import "testing"

// All have the time of a suspicion end when its accuser has it end, who has said nothing
// for a period. What comes without an accuser's waiting, an obituary, is given all of it.
func TestAllCountFromWhenTheAccuserBegan(t *testing.T) {
	for _, discreet := range []bool{false, true} {
		b := newBench(t, 8, Config{Twice: true, Discreet: discreet, Crowd: 2, Fanout: -1})
		b.step(Heard{Fact{State: Suspect, Node: b.peers[1], By: b.peers[0]}})
		ago := b.now.Sub(b.c.suspicions[0].since)
		if discreet && ago != DefaultPeriod || !discreet && ago != 0 {
			t.Errorf("discreet %v: it counts from %v ago", discreet, ago)
		}
		b.step(Heard{Fact{State: Confirm, Node: b.peers[2], By: b.peers[0]}})
		if s := b.c.members.suspicion(b.c.members.find(b.peers[2])); s == nil || !s.since.Equal(b.now) {
			t.Errorf("discreet %v: an obituary gives %+v", discreet, s)
		}
		if err := b.c.valid(); err != nil {
			t.Error(err)
		}
	}
}

// impatient is a core that two members have not answered, which has it wait longer.
func impatient(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	b.turn()
	b.turn()
	for began := b.now; b.now.Sub(began) < DefaultTimeout; {
		b.tick()
	}
	if b.c.slack() == 0 {
		t.Fatal("nothing is put to the test")
	}
	return b
}

// Two that have failed at a time are nothing that a machine has to get over, once another
// node has no answer from one of them, or it is gone.
func TestWhatOthersKnowOfTheDeadIsWaitedForNoMore(t *testing.T) {
	for what, event := range map[string]func(b *bench, i id) Event{
		"a suspicion": func(b *bench, i id) Event {
			return Heard{Fact{State: Suspect, Node: b.c.members.node(i), By: b.c.members.node((i + 1) % 20)}}
		},
		"an obituary": func(b *bench, i id) Event {
			return Heard{Fact{State: Confirm, Node: b.c.members.node(i), By: b.c.members.node((i + 1) % 20), Refused: true}}
		},
		"a farewell": func(b *bench, i id) Event { return Unwatch{Node: b.c.members.node(i)} },
	} {
		b := impatient(t)
		b.step(event(b, b.c.tempo.asked[0].target))
		if b.c.slack() > 0 {
			t.Errorf("after %s, it is %v slack", what, b.c.slack())
		}
		if err := b.c.valid(); err != nil {
			t.Error(err)
		}
	}
}

// A helper that brings an answer is heard of like one that has none.
func TestAHelpersAnswerEndsTheWaitingForOthers(t *testing.T) {
	b := impatient(t)
	for b.now.Before(b.c.probes[0].end) && b.c.probes[0].helpers == 0 {
		b.tick()
	}
	p := b.c.probes[0]
	if p.helpers == 0 || b.c.slack() == 0 {
		t.Fatalf("%d help", p.helpers)
	}
	b.c.tempo.takes = 0
	b.hear(b.c.members.node(p.asked[0]), Ack{p.seq})
	if b.c.slack() > 0 {
		t.Errorf("it is %v slack", b.c.slack())
	}
}

// That not even the helpers of one question were heard of is one failure, though it is
// found twice: when it begins to linger, and when it has.
func TestALingeringQuestionIsNoSecondFailure(t *testing.T) {
	b := newBench(t, 20, Config{Twice: true, Discreet: true, Crowd: 2, Fanout: -1})
	p := b.c.open(inTurn, 0, b.now.Add(DefaultPeriod))
	p.asked, p.helpers = []id{1, 2, 3}, 3
	b.c.conclude(p)
	if !p.lingers || b.c.Health() != 1 {
		t.Fatalf("lingers %v, health is %d", p.lingers, b.c.Health())
	}
	if b.c.conclude(p); b.c.Health() != 1 {
		t.Errorf("health is %d", b.c.Health())
	}
}

// A helper that is a little busy has the target answer as late as it would take answers
// for itself.
func TestALittleBusyHelperWaitsLonger(t *testing.T) {
	b := newBench(t, 20, Config{Discreet: true, Crowd: 2, Fanout: -1})
	b.c.tempo.takes = DefaultTimeout
	b.hear(b.peers[0], PingReq{Seq: 1, Target: b.peers[1]})
	if waits := b.c.relays[0].end.Sub(b.now); waits != 3*DefaultTimeout {
		t.Errorf("it waits for %v", waits)
	}
}
