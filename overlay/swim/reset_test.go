package swim

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// resetBench has begun a check of its first peer, of which it returns the helpers
// and the number of their question.
func resetBench(t *testing.T) (b *bench, helpers []overlay.Node, seq uint64) {
	b = newBench(t, 9, Config{})
	helpers, reqs := sent[PingReq](b.step(LinkReset{Node: b.peers[0]}))
	if len(helpers) != DefaultIndirect {
		t.Fatalf("asked %v", helpers)
	}
	return b, helpers, reqs[0].Seq
}

func (b *bench) state() State {
	s, _ := b.c.State(b.peers[0])
	return s
}

// wait lets time pass, answers what is asked in turn, and returns the questions about
// the first peer.
func (b *bench) wait(d time.Duration) (helpers []overlay.Node, seq uint64) {
	b.t.Helper()
	for end := b.now.Add(d); !b.c.Deadline().After(end); {
		effects := b.tick()
		if to, pings := sent[Ping](effects); len(to) > 0 && to[len(to)-1] != b.peers[0] {
			b.hear(to[len(to)-1], Ack(pings[len(to)-1]))
		}
		if to, reqs := sent[PingReq](effects); len(to) > 0 && reqs[0].Target == b.peers[0] {
			helpers, seq = to, reqs[0].Seq
		}
	}
	return helpers, seq
}

func TestTwoWitnessesOfARefusalAreEnough(t *testing.T) {
	b, helpers, seq := resetBench(t)
	b.step(LinkReset{b.peers[0], true}) // so was the attempt of this node
	b.hear(helpers[0], Nack{seq, true})
	b.hear(helpers[0], Nack{seq, true}) // again
	b.hear(helpers[1], Nack{seq, false})
	if b.state() != Alive {
		t.Fatalf("%v with one witness, when one more is asked", b.state())
	}
	b.hear(helpers[2], Nack{seq, true})
	if b.state() != Confirm {
		t.Errorf("%v", b.state())
	}
}

// One who is refused, and others who are not heard of, are no proof. Others are asked
// twice more, and then it is a suspicion.
func TestOneWitnessOfARefusalLeadsToASuspicionOnly(t *testing.T) {
	b, helpers, seq := resetBench(t)
	witness := helpers[0]
	for try := range resets {
		b.step(LinkReset{b.peers[0], true})
		b.hear(witness, Nack{seq, true}) // if it is asked
		for _, h := range helpers {
			b.hear(h, Nack{seq, false})
		}
		if want := []State{Alive, Alive, Suspect}[try]; b.state() != want {
			t.Fatalf("try %d: %v", try, b.state())
		}
		if p := b.c.probes[0]; p.kind == reset {
			seq, helpers = p.seq, nil
			for _, i := range p.asked {
				helpers = append(helpers, b.c.members.node(i))
			}
		}
	}
}

// All that are asked are refused, perhaps by a firewall. As long as this node's own
// attempt may still be answered, they do not decide, and the answer does.
func TestOwnAnswerOutweighsAllWitnesses(t *testing.T) {
	b, helpers, seq := resetBench(t)
	for _, h := range helpers {
		b.hear(h, Nack{seq, true})
	}
	if b.state() != Alive {
		t.Fatalf("%v", b.state())
	}
	b.hear(b.peers[0], Ack{seq})
	b.wait(2 * time.Second)
	if b.state() != Alive || b.c.Stats().Denied != 1 {
		t.Errorf("%v, %d denied", b.state(), b.c.Stats().Denied)
	}
}

// If that attempt is never answered, the witnesses decide when the time is over.
func TestWitnessesDecideWhenTheTimeIsOver(t *testing.T) {
	b, helpers, seq := resetBench(t)
	for _, h := range helpers {
		b.hear(h, Nack{seq, true})
	}
	b.wait(DefaultPeriod - DefaultTimeout)
	if b.state() != Confirm {
		t.Errorf("%v", b.state())
	}
}

// If all questions, or answers, of the first try are lost, the second one does it, in
// less than a second.
func TestALostCheckIsTriedAgain(t *testing.T) {
	b, _, first := resetBench(t)
	helpers, seq := b.wait(DefaultPeriod - DefaultTimeout)
	if seq <= first {
		t.Fatal("there is no second try")
	}
	b.step(LinkReset{b.peers[0], true})
	for _, h := range helpers {
		b.hear(h, Nack{seq, true})
	}
	if b.state() != Confirm || b.now.Sub(epoch) > time.Second/2 {
		t.Errorf("%v after %v", b.state(), b.now.Sub(epoch))
	}
}

// Of two nodes, each has nobody to ask.
func TestOwnRefusalDoesWhereNobodyElseIs(t *testing.T) {
	b := newBench(t, 1, Config{})
	for range 3 {
		b.step(LinkReset{Node: b.peers[0]})
	}
	if b.state() != Alive {
		t.Fatalf("%v after links have been reset, before it is tried again", b.state())
	}
	b.step(LinkReset{b.peers[0], true})
	if b.state() != Confirm {
		t.Errorf("%v", b.state())
	}
}

// Connections that are all cut at once are no refusals, to whomever they lead.
func TestResetAtAHelperIsNoRefusal(t *testing.T) {
	b := newBench(t, 3, Config{})
	b.hear(b.peers[1], PingReq{Seq: 7, Target: b.peers[0]})
	to, nacks := sent[Nack](b.step(LinkReset{Node: b.peers[0]}))
	if len(to) > 0 {
		t.Errorf("says %v", nacks)
	}
	if to, nacks = sent[Nack](b.step(LinkReset{b.peers[0], true})); len(to) != 1 || !nacks[0].Refused {
		t.Errorf("says %v", nacks)
	}
}

// Under load, answers come when the next try has begun already.
func TestLateWordsOfAnEarlierTryCount(t *testing.T) {
	b, helpers, first := resetBench(t)
	b.step(LinkReset{b.peers[0], true})
	if _, seq := b.wait(DefaultPeriod - DefaultTimeout); seq <= first {
		t.Fatal("there is no second try")
	}
	b.hear(helpers[0], Nack{first, true})
	if b.state() != Alive {
		t.Fatalf("%v with one witness", b.state())
	}
	b.hear(helpers[1], Nack{first, true})
	if b.state() != Confirm {
		t.Errorf("%v", b.state())
	}
}

// Where many run on a machine and much happens at once, the witnesses' answers take their
// time, and so may its own attempt. Who has neither been refused itself nor is busy, or has
// few to ask, does not wait.
func TestNodeThatWasRefusedIsPatientInACrowd(t *testing.T) {
	for _, test := range []struct {
		crowd         int
		refused, busy bool
		tries         int
	}{
		{5, true, false, 4},
		{5, false, true, 4},
		{5, false, false, 3},
		{64, true, true, 3},
	} {
		b := newBench(t, 9, Config{Crowd: test.crowd, Discreet: true, Twice: true})
		b.step(LinkReset{Node: b.peers[0]})
		if test.refused {
			b.step(LinkReset{b.peers[0], true})
		}
		tries, longest := 0, time.Duration(0)
		for range 100 {
			if test.busy {
				b.c.tempo.takes = DefaultTimeout
			}
			for _, p := range b.c.probes {
				if p.kind == reset {
					tries, longest = max(tries, p.tries), max(longest, p.end.Sub(b.now))
				}
			}
			if b.state() != Alive {
				break
			}
			b.wait(b.c.Deadline().Sub(b.now))
		}
		if patient := test.tries == 4; b.state() != Suspect || tries != test.tries || patient != (longest > 2*time.Second) {
			t.Errorf("%+v: %v after %d tries, the longest of %v", test, b.state(), tries, longest)
		}
	}
}
