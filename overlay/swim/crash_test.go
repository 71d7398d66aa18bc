package swim

import (
	"slices"
	"testing"
	"time"
)

// deaths are measured crashes.
type deaths struct{ first, each, last []time.Duration }

// die has nodes killed one after the other, and new ones started where they were,
// with time for each to be noticed by all.
func (w *world) die(t *testing.T, times uint64, wait time.Duration, kill func(i int)) deaths {
	t.Helper()
	var d deaths
	for round := range int(times / 4) {
		var at [4]time.Duration
		for n := range at {
			w.run(time.Duration(w.rng.Int64N(int64(time.Second))))
			at[n] = w.now
			kill((4*round + n) % len(w.sites))
		}
		w.run(wait)
		for n := range at {
			i := (4*round + n) % len(w.sites)
			after, missing := w.verdicts(i, at[n])
			if missing > 0 {
				t.Errorf("%d nodes have not noticed that node %d is dead", missing, i)
			}
			d.first = append(d.first, after[0])
			d.each = append(d.each, after...)
			d.last = append(d.last, after[len(after)-1])
		}
		for n := range at {
			w.replace((4*round + n) % len(w.sites))
		}
	}
	t.Logf("first at %s", summary(d.first))
	t.Logf("each at %s", summary(d.each))
	t.Logf("all at %s", summary(d.last))
	w.live(t)
	return d
}

// within fails if the 99th percentile is greater than limit.
func within(t *testing.T, what string, ds []time.Duration, limit time.Duration) {
	t.Helper()
	slices.Sort(ds)
	if p99 := quantile(ds, .99); p99 > limit {
		t.Errorf("%s: p99 %v, more than %v", what, p99, limit)
	}
}

func TestSilentCrashIsSeenByAllWithinSixSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(3, 100, Config{})
	w.loss = .05
	d := w.die(t, 24**seeds, 7*time.Second, func(i int) { w.kill(i, false) })
	within(t, "all", d.last, 6*time.Second)
	if slices.Min(d.first) < DefaultSuspicion*DefaultPeriod {
		t.Errorf("one failed after %v, without a suspicion", slices.Min(d.first))
	}
}

// With what is spread broadcast, nothing has to be sent around by itself.
func TestSilentCrashIsSeenWithTheDirectorysBroadcastAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(4, 100, Config{Fanout: -1})
	w.broadcast = true
	d := w.die(t, 8**seeds, 7*time.Second, func(i int) { w.kill(i, false) })
	within(t, "all", d.last, 6*time.Second)
}

func TestResetCrashIsSeenByAllWithinASecond(t *testing.T) {
	t.Parallel()
	w := newWorld(5, 100, Config{})
	w.loss = .05
	peers := make(map[int][]int)
	var linked []time.Duration
	var at time.Duration
	w.watch = func(s *site, e Effect) {
		if f, ok := e.(Failed); ok {
			if i := w.bySite[f.Node]; w.sites[i].dead && slices.Contains(peers[i], w.bySite[s.node]) {
				linked = append(linked, w.now-at)
			}
		}
	}
	d := w.die(t, 16**seeds, 3*time.Second, func(i int) {
		peers[i] = nil
		for range 5 {
			peers[i] = append(peers[i], (i+4+w.rng.IntN(90))%100)
		}
		at = w.now
		w.kill(i, true, peers[i]...)
	})
	within(t, "peers", linked, time.Second)
	within(t, "all", d.last, time.Second)
	t.Logf("peers at %s", summary(linked))
}

// All have links to all, and see them reset at the same time.
func TestResetCrashOfAFullMeshFailsOneNodeOnly(t *testing.T) {
	w := newWorld(6, 50, Config{})
	w.checked = true
	w.run(time.Second)
	at := w.now
	var all []int
	for i := range 49 {
		all = append(all, i)
	}
	before := w.counts.sent
	w.kill(49, true, all...)
	w.run(2 * time.Second)
	after, missing := w.verdicts(49, at)
	if missing > 0 || after[len(after)-1] > 500*time.Millisecond {
		t.Errorf("seen after %v, and by %d not at all", after[len(after)-1], missing)
	}
	if n := w.counts.sent - before; n > 60*50 {
		t.Errorf("%d messages", n)
	}
	w.live(t)
}

// Links break for many reasons. None of those here is that a node has failed.
func TestALinkThatBreaksAloneFailsNobody(t *testing.T) {
	w := newWorld(7, 100, Config{})
	w.loss = .05
	w.run(time.Second)
	for range 2000 {
		at, of := w.rng.IntN(100), w.rng.IntN(100)
		w.step(at, LinkReset{Node: w.sites[of].node})
		w.run(10 * time.Millisecond)
	}
	w.run(10 * time.Second)
	w.live(t)
	denied := uint64(0)
	for _, s := range w.sites {
		denied += s.core.Stats().Denied
	}
	if denied < 1900 {
		t.Errorf("%d of 2000 checks were answered", denied)
	}
}

// A network card that dies takes all links with it. That is this node's trouble.
func TestALossOfAllLinksConfirmsNobody(t *testing.T) {
	w := newWorld(8, 40, Config{})
	w.run(time.Second)
	w.sites[0].side = 1
	for _, s := range w.sites[1:] {
		w.step(0, LinkReset{Node: s.node})
	}
	w.run(2 * time.Second)
	if n := w.sites[0].core.Stats().Dead; n > 0 {
		t.Errorf("%d were declared failed at once", n)
	}
	if h := w.sites[0].core.Health(); h < DefaultMaxHealth/2 {
		t.Errorf("health %d", h)
	}
	w.sites[0].side = 0
	w.run(30 * time.Second)
	for i, s := range w.sites {
		if stats := s.core.Stats(); stats.Dead+stats.Suspects > 0 {
			t.Errorf("node %d: %+v", i, stats)
		}
	}
}
