package pcbroadcast

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var (
	runs     = flag.Int("runs", 0, "seeds of each simulation; 0 means few")
	fromSeed = flag.Uint64("seed", 1, "the first seed of each simulation")
)

// simulate runs f with some seeds, or as many as -runs says.
func simulate(t *testing.T, few int, f func(t *testing.T, seed uint64)) {
	t.Parallel()
	if *runs > 0 {
		few = *runs
	}
	for seed := *fromSeed; seed < *fromSeed+uint64(few) && !t.Failed(); seed++ {
		f(t, seed)
	}
}

func (w *world) check(t *testing.T, seed uint64) {
	t.Helper()
	w.valid()
	if w.err != nil {
		t.Fatalf("seed %d: %v", seed, w.err)
	}
}

// churn adds and removes links and broadcasts. Links are removed only if safe
// ones still connect all nodes.
func (w *world) churn(steps int) (messages []int) {
	n := len(w.sites)
	for range steps {
		a, b := w.rng.IntN(n), w.rng.IntN(n)
		switch w.rng.IntN(5) {
		case 0:
			if w.wires[pair(a, b)] == nil {
				w.link(a, b)
			}
		case 1:
			if w.wires[pair(a, b)] != nil && w.bound(a, b) {
				w.unlink(a, b)
			}
		default:
			if w.quiet {
				a %= 3
			}
			messages = append(messages, w.broadcast(a))
		}
		w.run(w.pause(100 * time.Millisecond))
	}
	return messages
}

func TestChurnWithoutFaultsLosesNothingAndKeepsOrder(t *testing.T) {
	simulate(t, 200, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 3+int(seed%10))
		w.grow()
		messages := w.churn(80)
		w.run(20 * time.Second)
		w.all(messages...)
		w.check(t, seed)
		if w.counts.gaps+w.counts.forced+w.counts.restarts > 0 {
			t.Fatalf("seed %d: gaps, links opened by force, or made unsafe: %+v", seed, w.counts)
		}
	})
}

func TestNodesThatJoinInChurnLoseNothingLater(t *testing.T) {
	simulate(t, 150, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 3+int(seed%6))
		w.grow()
		w.quiet = true // who joins does not broadcast yet
		old := w.churn(20)
		for range 2 { // with several links at once
			w.sites = append(w.sites, &site{index: len(w.sites)})
			s := w.boot(len(w.sites) - 1)
			for range 1 + w.rng.IntN(3) {
				w.link(s.index, w.rng.IntN(s.index))
			}
			old = append(old, w.churn(5)...)
		}
		w.run(15 * time.Second)
		if w.counts.gaps+w.counts.forced > 0 {
			t.Fatalf("seed %d: %+v", seed, w.counts)
		}
		newcomers := w.sites[len(w.sites)-2:]
		w.sites = w.sites[:len(w.sites)-2]
		w.all(old...)
		w.sites, w.quiet = append(w.sites, newcomers...), false
		messages := w.churn(30)
		w.run(20 * time.Second)
		w.all(messages...)
		w.check(t, seed)
	})
}

// storm is churn with crashes, restarts, partitions and links that break at any
// time.
func (w *world) storm(steps int) {
	n := len(w.sites)
	side := make([]bool, n)
	for range steps {
		a, b := w.rng.IntN(n), w.rng.IntN(n)
		switch r := w.rng.IntN(40); {
		case r < 10:
			if side[a] == side[b] {
				w.link(a, b)
			}
		case r < 16:
			w.unlink(a, b)
		case r == 16:
			w.crash(a)
		case r < 19:
			if w.sites[a].core == nil {
				w.boot(a)
			}
			w.link(a, b)
		case r == 19: // a partition
			for i := range side {
				side[i] = w.rng.IntN(2) == 0
			}
			for i := range n {
				for j := range i {
					if side[i] != side[j] {
						w.unlink(i, j)
					}
				}
			}
		case r == 20: // is healed
			clear(side)
		default:
			w.broadcast(a)
		}
		if w.rng.IntN(10) == 0 {
			w.run(w.pause(8 * time.Second))
		}
		w.run(w.pause(60 * time.Millisecond))
	}
}

// recover ends the faults: everybody runs and is connected.
func (w *world) recover() {
	for i, s := range w.sites {
		if s.core == nil {
			w.boot(i)
		}
	}
	for i := range w.sites {
		if j := (i + 1) % len(w.sites); w.wires[pair(i, j)] == nil {
			w.link(i, j)
		}
	}
	w.run(40 * time.Second)
}

func TestStormsNeverBreakTheOrder(t *testing.T) {
	simulate(t, 300, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 2+int(seed%11))
		w.stale = seed%2 == 0
		w.cfg.MaxBuffer = []int{0, 3, 30}[seed%3]
		w.grow()
		w.storm(120)
		w.check(t, seed)
		w.recover()
		w.check(t, seed)
		var messages []int
		for i := range w.sites {
			messages = append(messages, w.broadcast(i))
			w.run(w.pause(50 * time.Millisecond))
		}
		w.run(10 * time.Second)
		w.all(messages...)
		w.check(t, seed)
	})
}

func TestAPartitionedClusterMergesInOrder(t *testing.T) {
	simulate(t, 150, func(t *testing.T, seed uint64) {
		n := 4 + int(seed%6)
		w := newWorld(seed, n)
		w.grow()
		for range n {
			w.link(w.rng.IntN(n), w.rng.IntN(n))
		}
		w.run(5 * time.Second)
		half := 1 + w.rng.IntN(n-1)
		for i := half; i < n; i++ {
			for j := range half {
				w.unlink(i, j)
			}
		}
		for i := 1; i < n; i++ { // each side is whole
			if i != half {
				w.link(i, i-1)
			}
		}
		w.run(15 * time.Second)
		var apart, merged []int
		for range 20 {
			apart = append(apart, w.broadcast(w.rng.IntN(n)))
			w.run(w.pause(50 * time.Millisecond))
		}
		w.run(5 * time.Second)
		gaps := w.counts.gaps
		for range 1 + w.rng.IntN(3) {
			w.link(half+w.rng.IntN(n-half), w.rng.IntN(half))
		}
		for range 20 {
			w.broadcast(w.rng.IntN(n))
			w.run(w.pause(800 * time.Millisecond))
		}
		w.run(30 * time.Second)
		if w.counts.gaps == gaps {
			t.Fatalf("seed %d: nobody misses any of %v", seed, apart)
		}
		for range 20 {
			merged = append(merged, w.broadcast(w.rng.IntN(n)))
			w.run(w.pause(50 * time.Millisecond))
		}
		w.run(10 * time.Second)
		w.all(merged...)
		w.check(t, seed)
	})
}

func TestSixtyNodesOnASparseOverlayKeepOrder(t *testing.T) {
	simulate(t, 2, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 60)
		w.grow()
		for range 60 {
			w.link(w.rng.IntN(60), w.rng.IntN(60))
		}
		w.run(15 * time.Second)
		w.valid()
		messages := w.churn(150)
		w.run(20 * time.Second)
		w.all(messages...)
		w.check(t, seed)
		w.storm(60)
		w.check(t, seed)
	})
}

func TestTheSameSeedGivesTheSameTranscript(t *testing.T) {
	run := func(seed uint64) string {
		w := newWorld(seed, 7)
		w.log = new(strings.Builder)
		w.grow()
		w.storm(100)
		w.recover()
		w.check(t, seed)
		return w.log.String()
	}
	for seed := range uint64(10) {
		first, second := run(seed), run(seed)
		if first != second {
			a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
			for i := range a {
				if i >= len(b) || a[i] != b[i] {
					t.Fatalf("seed %d: line %d: %s", seed, i, a[i])
				}
			}
		}
		if strings.Count(first, "\n") < 100 {
			t.Fatalf("seed %d: nothing happened", seed)
		}
	}
	if run(1) == run(2) {
		t.Error("seeds make no difference")
	}
}
