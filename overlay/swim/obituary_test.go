package swim

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Somebody says of a member that was not suspected that it has failed. It gets the
// time of a suspicion that all have confirmed, no more and no less.
func TestObituaryOutOfTheBlueIsAShortSuspicion(t *testing.T) {
	b := newBench(t, 9, Config{Late: time.Hour})
	of, by := b.peers[0], b.peers[1]
	b.hear(by, Gossip{}, Fact{State: Confirm, Node: of, By: by})
	for range 200 {
		for _, e := range b.tick() {
			switch e := e.(type) {
			case Send:
				if p, ok := e.Message.Body.(Ping); ok && e.To != of {
					b.hear(e.To, Ack(p))
				}
			case Failed:
				if e.Node != of || b.now.Sub(epoch) != DefaultSuspicion*DefaultPeriod {
					t.Errorf("%v has failed after %v", e.Node, b.now.Sub(epoch))
				}
				return
			}
		}
	}
	t.Error("it has not failed")
}

func TestRefusedObituaryIsBelievedAtOnce(t *testing.T) {
	b := newBench(t, 9, Config{})
	of, by := b.peers[0], b.peers[1]
	fact := Fact{State: Confirm, Node: of, By: by, Refused: true}
	effects := b.step(Heard{fact})
	if len(effects) != 1 || effects[0] != (Failed{of, 0, by, ErrRefused, false}) {
		t.Errorf("%v", effects)
	}
}

func TestOnlyTheTargetAnswersAPingForOthers(t *testing.T) {
	b := newBench(t, 3, Config{})
	_, pings := sent[Ping](b.hear(b.peers[0], PingReq{Seq: 5, Target: b.peers[1]}))
	if effects := b.hear(b.peers[2], Ack(pings[0])); len(effects) > 0 {
		t.Errorf("%v", effects)
	}
	if to, acks := sent[Ack](b.hear(b.peers[1], Ack(pings[0]))); len(acks) != 1 || to[0] != b.peers[0] {
		t.Errorf("%v", acks)
	}
}

func TestShortestSuspicionGrowsWithTheLogarithmOfTheSize(t *testing.T) {
	for n, want := range map[int]time.Duration{10: 2 * time.Second, 100: 2 * time.Second, 1000: 3 * time.Second, 10_000: 4 * time.Second} {
		c := newWorld(1, 1, Config{}).sites[0].core
		for i := range n - 1 {
			c.Step(epoch, Watch{overlay.Node{Name: fmt.Sprintf("n%d@n", i)}})
		}
		if got := c.shortest().Round(time.Millisecond); got != want {
			t.Errorf("%d nodes: %v", n, got)
		}
	}
}

// A crash is broadcast by those who have evidence, of whom there are some, however
// many nodes there are.
func TestFewBroadcastOneCrash(t *testing.T) {
	for _, n := range []int{20, 150} {
		w := newWorld(4, n, Config{})
		w.run(time.Second)
		w.kill(1, false)
		w.run(7 * time.Second)
		if _, missing := w.verdicts(1, 0); missing > 0 || w.counts.spread < 2 || w.counts.spread > 4*(DefaultConfirmations+1) {
			t.Errorf("%d nodes: %d broadcasts, %d have not noticed", n, w.counts.spread, missing)
		}
	}
}

// What the directory has brought is known to all, and is not sent by itself besides:
// it goes with pings and answers.
func TestWhatIsHeardGoesWithOtherMessagesOnly(t *testing.T) {
	w := newWorld(5, 20, Config{})
	about := w.sites[1].node
	carried := 0
	w.watch = func(_ *site, e Effect) {
		if s, ok := e.(Send); ok {
			if _, gossip := s.Message.Body.(Gossip); gossip {
				t.Errorf("gossip: %v", s.Message.Facts)
			}
			carried += len(s.Message.Facts)
		}
	}
	for i := range w.sites {
		w.step(i, Heard{Fact{State: Alive, Node: about, Incarnation: 1, By: about}})
	}
	w.run(3 * time.Second)
	if carried < 20 {
		t.Errorf("it was sent %d times", carried)
	}
}

// Who has heard the end of it from somebody does not say it again.
func TestAccuserBroadcastsTheEndUnlessAnotherHas(t *testing.T) {
	for _, heard := range []bool{false, true} {
		b := newBench(t, 9, Config{})
		i := b.c.members.find(b.peers[0])
		b.c.suspect(i, b.c.cfg.Self, false)
		if heard {
			b.step(Heard{Fact{State: Confirm, Node: b.peers[0], By: b.peers[1]}})
		}
		said, failed := 0, false
		for range 1000 {
			for _, e := range b.tick() {
				switch e := e.(type) {
				case Spread:
					if e.Fact.State == Confirm && e.Fact.Node == b.peers[0] {
						said++
					}
				case Failed:
					if e.Node == b.peers[0] {
						failed = true
						if e.Source == heard {
							t.Errorf("heard %v: %+v", heard, e)
						}
					}
				}
			}
			if failed {
				break
			}
		}
		if !failed || heard != (said == 0) {
			t.Errorf("heard %v: failed %v, said %d times", heard, failed, said)
		}
	}
}
