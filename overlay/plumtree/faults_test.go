package plumtree

import (
	"fmt"
	"testing"
	"time"
)

// ledger is the checker: who must have had what in the end. That nothing is
// delivered twice, or wrongly, the world checks at once.
type ledger struct {
	healed   time.Time
	required map[ID]bool // made before healing, and retained somewhere then
}

// heal ends all faults but loss, and notes what is still retained.
func (w *world) heal() ledger {
	w.side = func(int) int { return 0 }
	l := ledger{healed: w.now, required: map[ID]bool{}}
	for _, h := range w.live() {
		for _, k := range h.core.cache {
			l.required[k.id()] = true
		}
	}
	return l
}

// lost returns what a host has not had that it should have had: each broadcast
// that was made after healing, or was retained then.
func (w *world) lost(l ledger) (lost []string) {
	for _, h := range w.live() {
		for id, at := range w.sent {
			_, had := h.delivered[id]
			if !had && (l.required[id] || !at.Before(l.healed)) {
				lost = append(lost, fmt.Sprintf("%v of %v", id, h.node))
			}
		}
		reported := map[ID]bool{}
		for _, m := range h.missed {
			if m.Reason == ErrBefore || m.Reason == ErrOriginsFull {
				continue // the only ones that may be of what was forgotten
			}
			for seq := m.First; seq <= m.Last; seq++ {
				id := ID{m.Origin, seq}
				if _, had := h.delivered[id]; had || reported[id] {
					w.t.Errorf("%v: %v is missed, after it was delivered (%v) or missed (%v)", h.node, id, had, reported[id])
				}
				reported[id] = true
			}
		}
	}
	return lost
}

// storm lets a few hosts broadcast while links break and are made, hosts crash
// and start again, and the world falls in two and heals.
func (w *world) storm(duration time.Duration, churn bool) {
	n := len(w.hosts)
	end := w.now.Add(duration)
	for step := 0; w.now.Before(end); step++ {
		if h := w.hosts[w.rng.IntN(10)*n/10]; h.core != nil {
			w.broadcast(h.at)
		}
		if churn {
			w.churn()
		}
		switch {
		case !churn:
		case step%100 == 40:
			cut := w.rng.IntN(n)
			w.side = func(i int) int { return (i + cut) % n * 2 / n }
		case step%100 == 90:
			w.side = func(int) int { return 0 }
		}
		w.run(100 * time.Millisecond)
	}
	for i, h := range w.hosts {
		if h.core == nil {
			w.start(i)
		}
	}
	for i := range n { // what membership does in the end
		w.connect(i, (i+1)%n)
		for len(w.neighbors(i)) < 3 {
			w.connect(i, w.rng.IntN(n))
		}
	}
}

func (w *world) churn() {
	n := len(w.hosts)
	a, b := w.rng.IntN(n), w.rng.IntN(n)
	switch w.rng.IntN(8) {
	case 0:
		if w.hosts[a].core != nil {
			w.crash(a)
		}
	case 1, 2, 3:
		if w.hosts[a].core == nil {
			w.start(a)
		}
		for len(w.neighbors(a)) < 4 {
			w.connect(a, w.rng.IntN(n))
		}
	case 4:
		if list := w.neighbors(a); len(list) > 0 && w.hosts[a].core != nil {
			w.disconnect(a, list[w.rng.IntN(len(list))])
		}
	case 5:
		w.connect(a, b)
	}
}

// trial lets the world go through a storm, and then some messages through a world
// that only loses some.
func (w *world) trial(duration time.Duration, churn bool) (ledger, []string) {
	w.storm(duration, churn)
	l := w.heal()
	w.storm(3*time.Second, false)
	w.run(100 * time.Second)
	return l, w.lost(l)
}

func TestEveryNodeHasEveryMessageAfterLossChurnAndPartitions(t *testing.T) {
	for _, c := range []struct {
		seed      uint64
		perOrigin bool
	}{{0, false}, {2, true}} {
		w := newWorld(t, c.seed, 100, Config{Retain: 5 * time.Minute, PerOrigin: c.perOrigin, MaxTrees: 8})
		w.loss = 0.01
		l, lost := w.trial(20*time.Second, true)
		s := w.total()
		t.Logf("seed %d: %d broadcast, %d of before to be had; %d delivered, %d of them by repair, %d duplicates, %d grafts",
			c.seed, len(w.sent), len(l.required), s.Delivered, s.Repaired, s.Duplicates, s.GraftSent)
		if len(lost) > 0 {
			t.Errorf("seed %d: %d not delivered: %v", c.seed, len(lost), lost[:min(5, len(lost))])
		}
		if len(l.required) < 100 || s.Repaired == 0 || s.GraftSent == 0 {
			t.Errorf("seed %d: the storm was none", c.seed)
		}
	}
}

func TestInvariantsHoldInTheStorm(t *testing.T) {
	w := newWorld(t, 7, 25, Config{Retain: 5 * time.Second, MaxRetained: 20, MaxHoles: 4, MaxMissing: 12, MaxOrigins: 14,
		MaxIHave: 3, MaxDigest: 5, MaxRepair: 3, Exchange: 2 * time.Second, Forget: 12 * time.Second, PerOrigin: true, MaxTrees: 3})
	w.loss, w.check = 0.05, true
	w.trial(40*time.Second, true)
	if s := w.total(); s.Missed == 0 || s.Refused == 0 {
		t.Errorf("no limit was reached: %+v", s)
	}
}

// Without grafts and exchanges the checker has to find what is lost, so that it
// can be trusted when it finds nothing.
func TestCheckerFindsWhatIsLostWithoutRepair(t *testing.T) {
	mild := Config{Retain: 5 * time.Minute}
	none := Config{Retain: 5 * time.Hour, First: time.Hour, Second: time.Hour, Exchange: 100 * time.Hour}
	// No exchange comes, except for one with a new neighbor: there is none.
	for name, c := range map[string]struct {
		cfg  Config
		want bool
	}{"with repair": {mild, false}, "without": {none, true}} {
		w := newWorld(t, 5, 100, c.cfg)
		w.loss = 0.01
		_, lost := w.trial(5*time.Second, false)
		t.Logf("%s: %d lost", name, len(lost))
		if (len(lost) > 0) != c.want {
			t.Errorf("%s: %d lost", name, len(lost))
		}
	}
}

// Without the exchange, grafts alone do not bring what was lost with all its
// announcements, nor what a partition has kept away.
func TestGraftsAloneDoNotHealAPartition(t *testing.T) {
	for _, exchange := range []time.Duration{10 * time.Second, 100 * time.Hour} {
		w := newWorld(t, 6, 60, Config{Retain: 5 * time.Minute, Exchange: exchange})
		w.side = func(i int) int { return i * 2 / 60 }
		for i := range 10 {
			w.broadcast(i * 6)
			w.run(100 * time.Millisecond)
		}
		w.run(10 * time.Second)
		l := w.heal() // the links have not even been down
		w.run(100 * time.Second)
		if lost := w.lost(l); (len(lost) > 0) != (exchange > time.Hour) {
			t.Errorf("with an exchange every %v: %d lost", exchange, len(lost))
		}
	}
}

func TestSameSeedGivesSameTranscript(t *testing.T) {
	play := func(seed uint64) uint64 {
		w := newWorld(t, seed, 40, Config{})
		w.loss = 0.02
		w.trial(5*time.Second, true)
		return w.log.Sum64()
	}
	first := play(1)
	if play(1) != first {
		t.Error("the same seed gave something else")
	}
	if play(2) == first {
		t.Error("another seed gave the same")
	}
}
