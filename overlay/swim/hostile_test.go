package swim

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// A stranger's pings are answered, and leave nothing behind.
func TestAFloodOfStrangersTakesNoMemory(t *testing.T) {
	b := newBench(t, 5, Config{Late: time.Hour})
	before := b.c.Stats()
	for i := range 2000 {
		x := overlay.Node{Name: fmt.Sprintf("x%d@x", i)}
		about := overlay.Node{Name: fmt.Sprintf("y%d@y", i)}
		effects := b.hear(x, Ping{uint64(i)}, Fact{State: Suspect, Node: about, By: x}, Fact{State: Alive, Node: x, By: x})
		if to, acks := sent[Ack](effects); len(to) != 1 || to[0] != x || acks[0].Seq != uint64(i) || len(effects) != 1 {
			t.Fatalf("%v", effects)
		}
		b.hear(x, PingReq{Seq: uint64(i), Target: about})
		b.hear(x, PingReq{Seq: uint64(i), Target: b.peers[0]})
		b.hear(x, Nack{uint64(i), true})
		b.step(LinkReset{Node: x})
	}
	after := b.c.Stats()
	if after.Members != before.Members || after.Rumors != 0 || after.Suspects != 0 || len(b.c.relays) > DefaultMaxRelays || len(b.c.members.all) != 5 {
		t.Errorf("%+v, %d relays", after, len(b.c.relays))
	}
}

// Who says that a node has an absurd number can neither make it fail for ever nor
// keep it from failing.
func TestAbsurdNumbersAreNotBelieved(t *testing.T) {
	w := newWorld(1, 10, Config{})
	w.checked = true
	victim, liar := w.sites[1].node, w.sites[2].node
	lie := func(state State, n uint64) {
		for i := range w.sites {
			if i != 2 {
				w.step(i, Received{liar, Message{Body: Gossip{}, Facts: []Fact{{State: state, Node: victim, Incarnation: n, By: liar}}}})
			}
		}
	}
	lie(Alive, math.MaxUint64)
	lie(Suspect, math.MaxUint64)
	lie(Confirm, maxJump+1)
	if w.counts.suspected+w.counts.failed > 0 {
		t.Fatalf("%+v", w.counts)
	}
	for n := range uint64(100) { // as far as it goes
		lie(Confirm, (n+1)*maxJump)
		w.run(300 * time.Millisecond)
	}
	w.run(20 * time.Second)
	for i, s := range w.sites {
		if state, _ := s.core.State(victim); i != 1 && state != Alive {
			t.Errorf("node %d: the victim is %v", i, state)
		}
	}
	w.kill(1, false)
	w.run(10 * time.Second)
	if _, missing := w.verdicts(1, w.now); missing > 0 {
		t.Errorf("to %d the victim lives on after its death", missing)
	}
	w.sound(t)
}

// One node that accuses everybody, all the time, and confirms in others' names only
// what strangers would: nobody fails, as all refute.
func TestOneAccuserOfAllFailsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 20, Config{})
	for round := range 40 {
		for i, s := range w.sites[1:] {
			of := w.sites[1+(i+round)%19].node
			facts := []Fact{
				{State: Suspect, Node: of, Incarnation: s.core.Incarnation(), By: w.sites[0].node},
				{State: Suspect, Node: of, Incarnation: s.core.Incarnation(), By: overlay.Node{Name: "x@x"}},
			}
			w.step(i+1, Received{w.sites[0].node, Message{Body: Gossip{}, Facts: facts}})
		}
		w.run(250 * time.Millisecond)
	}
	w.live(t)
	if w.counts.refuted < 100 {
		t.Errorf("%d refutations", w.counts.refuted)
	}
}

// Answers that are repeated, or made up, save nobody that is dead.
func TestReplayedAnswersDoNotKeepTheDeadAlive(t *testing.T) {
	b := newBench(t, 3, Config{})
	dead := b.peers[0]
	acks := []Ack{{0}}
	failed := false
	for range 400 {
		effects := b.tick()
		for _, e := range effects {
			if f, ok := e.(Failed); ok && f.Node == dead {
				failed = true
			}
		}
		to, pings := sent[Ping](effects)
		for i, p := range pings {
			if to[i] != dead {
				b.hear(to[i], Ack(p))
				acks = append(acks, Ack(p))
			} else {
				b.hear(b.peers[1], Ack(p)) // who was not asked
			}
		}
		helpers, reqs := sent[PingReq](effects)
		for i, r := range reqs {
			b.hear(helpers[i], Nack{r.Seq, false})
			b.hear(helpers[i], Ack{r.Seq}) // after it has said no
		}
		for _, a := range acks[max(0, len(acks)-3):] {
			b.hear(dead, a)
		}
	}
	if !failed {
		t.Error("it has not failed")
	}
}

func TestAMessageOfTooManyFactsIsTakenInPart(t *testing.T) {
	b := newBench(t, 50, Config{})
	var facts []Fact
	for _, p := range b.peers {
		facts = append(facts, Fact{State: Suspect, Node: p, By: b.peers[0]})
	}
	b.hear(b.peers[0], Gossip{}, facts...)
	if n := len(b.c.Suspects()); n != DefaultMaxFacts {
		t.Errorf("%d suspects", n)
	}
	for _, e := range b.hear(b.peers[0], Ping{1}) {
		if s := e.(Send); len(s.Message.Facts) != DefaultMaxFacts {
			t.Errorf("%d facts are sent", len(s.Message.Facts))
		}
	}
}

// Nobody can have this node accuse a member by saying that it has.
func TestWhatThisNodeIsSaidToHaveSaidIsNoEvidence(t *testing.T) {
	b := newBench(t, 5, Config{})
	for _, state := range []State{Suspect, Confirm} {
		effects := b.hear(b.peers[1], Gossip{}, Fact{State: state, Node: b.peers[0], By: b.c.cfg.Self, Refused: true})
		if state, _ := b.c.State(b.peers[0]); state != Alive || len(effects) > 0 {
			t.Errorf("%v: %v", state, effects)
		}
	}
}
