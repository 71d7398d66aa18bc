package swim

import (
	"testing"
	"time"
)

// until ticks until somebody is suspected, and returns how long that took.
func (b *bench) until(limit time.Duration, each func()) time.Duration {
	b.t.Helper()
	for began := b.now; b.now.Sub(began) < limit; {
		for _, e := range b.tick() {
			if _, ok := e.(Suspected); ok {
				return b.now.Sub(began)
			}
		}
		each()
	}
	return 0
}

func TestAMemberIsAskedTwiceBeforeItIsSuspected(t *testing.T) {
	for twice, want := range map[bool]time.Duration{false: DefaultPeriod, true: 2*DefaultPeriod - DefaultTimeout} {
		b := newBench(t, 2, Config{Twice: twice})
		who, _ := b.turn()
		indirect := b.c.Stats().Indirect
		took := b.until(5*time.Second, func() {})
		// Nobody answers, so local health has it take longer, but not the first time.
		if took < want || took > want+DefaultPeriod {
			t.Errorf("twice %v: suspected after %v", twice, took)
		}
		if rounds := b.c.Stats().Indirect - indirect; twice && rounds < 2 {
			t.Errorf("others were asked %d times", rounds)
		}
		if state, _ := b.c.State(who); state != Suspect {
			t.Errorf("twice %v: %v is %v", twice, who, state)
		}
	}
}

func TestAnAnswerToTheSecondQuestionIsEnough(t *testing.T) {
	b := newBench(t, 2, Config{Twice: true})
	who, first := b.turn()
	for range 50 {
		to, pings := sent[Ping](b.tick())
		for n := range pings {
			if to[n] == who && pings[n] != first {
				if len(b.c.Suspects()) > 0 {
					t.Fatal("it is suspected before it is asked again")
				}
				b.hear(who, Ack(pings[n]))
				for _, p := range b.c.probes {
					if p.kind == second {
						t.Error("the question is open still")
					}
				}
				return
			}
		}
	}
	t.Fatal("it is not asked again")
}

// Whoever sends anything lives, even if it is so busy that it does not answer.
func TestWhoeverSendsAnythingIsNotSuspected(t *testing.T) {
	for _, twice := range []bool{false, true} {
		b := newBench(t, 4, Config{Twice: twice})
		sees := func() {
			for _, p := range b.peers {
				b.c.Seen(p)
			}
		}
		if took := b.until(time.Minute, sees); took > 0 {
			t.Errorf("twice %v: somebody is suspected after %v", twice, took)
		}
		if took := b.until(time.Minute, func() {}); took == 0 || took > 5*time.Second {
			t.Errorf("twice %v: then, when nothing comes, somebody is suspected after %v", twice, took)
		}
	}
}

// With five of a hundred messages lost, a hundred nodes ask twice now and then, and
// hardly anybody is suspected.
func TestLossAloneMakesNobodyASuspect(t *testing.T) {
	t.Parallel()
	for twice, most := range map[bool]int{false: 200, true: 2} {
		w := newWorld(7, 100, Config{Twice: twice, Fanout: -1})
		w.broadcast, w.loss = true, .05
		w.run(10 * time.Minute)
		if w.counts.refuted > most || !twice && w.counts.refuted < 20 {
			t.Errorf("twice %v: %d suspicions were refuted", twice, w.counts.refuted)
		}
		w.live(t)
	}
}
