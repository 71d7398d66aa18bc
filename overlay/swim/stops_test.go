package swim

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// stops has one node after the other stand still until all others know, and run on
// until it is known again, with nearly no rest. It returns how long that took.
func stops(w *world, trials int) (all []time.Duration) {
	w.run(10 * time.Second)
	for trial := range trials {
		i := trial % len(w.sites)
		w.run(500*time.Millisecond + w.latency()*240)
		since := w.now
		w.sites[i].asleep = true
		for missing := 1; missing > 0 && w.now-since < 30*time.Second; {
			w.run(20 * time.Millisecond)
			_, missing = w.verdicts(i, since)
		}
		after, _ := w.verdicts(i, since)
		all = append(all, after...)
		w.wake(i)
		for busy := true; busy; {
			w.run(20 * time.Millisecond)
			busy = false
			for _, s := range w.sites {
				busy = busy || len(s.verdicts) > 0
			}
		}
	}
	return all
}

func TestStopsThatFollowEachOtherAreSeenAsSoonAsOthers(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(seed, 5, Config{Twice: true, Fanout: -1})
		w.broadcast = true
		all := stops(w, 30)
		t.Log(summary(all))
		if len(all) != 30*4 || quantile(all, 1) > 6*time.Second {
			t.Errorf("seed %d: %d sights, %s", seed, len(all), summary(all))
		}
		w.sound(t)
	}
}

// late ticks a core later than it has asked for, for d, and has all but one answer it.
func (b *bench) late(by, d time.Duration, silent overlay.Node) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.c.Deadline().Add(by)
		to, pings := sent[Ping](b.c.Tick(b.now))
		for n, p := range pings {
			if to[n] != silent {
				b.hear(to[n], Ack(p))
			}
		}
	}
}

// A node that comes late now and then, since its machine has too much to do, and that
// has lost none of its messages, has heard of a suspicion like the others. So it
// believes the obituary when they do.
func TestANodeThatIsSomewhatLateBelievesWhatItHasHeardOf(t *testing.T) {
	b := newBench(t, 9, Config{Fanout: -1})
	of, by := b.peers[0], b.peers[1]
	b.step(Heard{Fact{State: Suspect, Node: of, By: by}})
	b.late(DefaultLate*3/2, 2500*time.Millisecond, of)
	if b.c.Stats().Wakes < 3 || b.c.Health() > 0 {
		t.Fatalf("it has not been late, or blames itself: %+v, health %d", b.c.Stats(), b.c.Health())
	}
	b.step(Heard{Fact{State: Confirm, Node: of, By: by}})
	if state, _ := b.c.State(of); state != Confirm {
		t.Errorf("the member is %v", state)
	}
}

// Nor is anybody declared failed in the moment in which a late node looks up: what
// refutes it may lie unread.
func TestANodeThatIsSomewhatLateReadsBeforeItJudges(t *testing.T) {
	b := newBench(t, 2, Config{Fanout: -1})
	b.step(Heard{Fact{State: Suspect, Node: b.peers[0], By: b.peers[1]}})
	s := b.c.suspicions[0]
	for b.c.Deadline().Before(s.expires) {
		b.tick()
	}
	b.now = s.expires.Add(2 * DefaultLate)
	b.c.Tick(b.now)
	if state, _ := b.c.State(b.peers[0]); state != Suspect || s.expires.Sub(b.now) < DefaultTimeout {
		t.Errorf("the member is %v, with %v left", state, s.expires.Sub(b.now))
	}
}
