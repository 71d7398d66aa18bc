package hyparview

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestNodesThatJoinAtOnceEndInOneSymmetricGraph(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Config{})
	w.checked = true
	w.grow(1, 0)
	for i := 1; i < 300; i++ {
		w.boot(i, 0) // all through the same one, within a third of a second
		w.run(time.Millisecond)
	}
	w.run(30 * time.Second)
	w.sound("after half a minute")
	// Those with a free slot look for others that have one, and are refused by
	// those that do not.
	if full := w.degrees()[DefaultActiveSize]; full < 250 {
		t.Errorf("only %d of 300 have a full active view: %v", full, w.degrees())
	}
	if extra := w.extra(); extra > 100 {
		t.Errorf("%d links are left over", extra)
	}
	t.Logf("neighbors: %v, other links: %d", w.degrees(), w.extra())
}

func TestTwoThousandNodesSurviveHalfOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Config{})
	for i := range 2000 {
		w.boot(i, w.rng.IntN(max(i, 1)), w.rng.IntN(max(i, 1)), w.rng.IntN(max(i, 1)))
		w.run(time.Millisecond)
	}
	// So many that join at once may form islands; what joins those later needs
	// some shuffles.
	formed := w.until(time.Minute, 2*time.Second, w.healed)
	w.sound("before")
	w.run(5 * time.Second)
	w.decimate(50)
	d := w.until(30*time.Second, 500*time.Millisecond, w.healed)
	w.sound("after")
	t.Logf("2000 join within 2 s: one after %v more; 50 %% crash: connected and symmetric after %v, neighbors: %v",
		formed, d, w.degrees())
}

// The machines of those that crash do not answer at all: every dial takes 3 s
// until it has failed.
func TestSilentCrashesHealToo(t *testing.T) {
	w := newWorld(t, 3, Config{})
	w.grow(200, 10*time.Millisecond)
	w.run(time.Minute)
	w.silent = true
	w.decimate(80)
	d := w.until(5*time.Minute, time.Second, w.healed)
	w.sound("after")
	t.Logf("80 %% of 200 fall silent: connected and symmetric after %v", d)
	if d > 2*time.Minute {
		t.Errorf("it took %v", d)
	}
}

func TestChurnAndLossEndInSoundViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, Config{XBot: &XBot{}})
	w.checked = true
	w.grow(100, 10*time.Millisecond)
	w.run(20 * time.Second)
	w.loss = 20
	for range 300 {
		i, j := w.rng.IntN(100), w.rng.IntN(100)
		switch w.rng.IntN(4) {
		case 0:
			w.crash(i)
		case 1:
			w.crash(i)
			w.boot(i, 0, j)
		case 2:
			if i != j {
				w.sever(i, j)
			}
		case 3:
			if p := w.places[i]; p.core != nil && i != 0 {
				w.tell(i, p.node, overlay.LeaveRequested{})
				w.run(100 * time.Millisecond)
				w.crash(i)
			}
		}
		if w.places[0].core == nil {
			w.boot(0, j)
		}
		w.run(200 * time.Millisecond)
	}
	w.loss = 0
	d := w.until(10*time.Minute, time.Second, func() bool { return w.healed() && w.dead() == 0 })
	w.sound("after the faults")
	if d > 6*time.Minute {
		t.Errorf("%d dead nodes are passive after %v", w.dead(), d)
	}
	t.Logf("%d nodes live: sound after %v, neighbors: %v", len(w.alive()), d, w.degrees())
}

// A partition lasts until each side has forgotten the other. The seeds make
// them known to each other again, the refresh joins them.
func TestPartsFindTogetherAfterLongPartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, Config{})
	w.grow(60, 10*time.Millisecond)
	w.run(time.Minute)
	w.partition(func(a, b int) bool { return (a < 30) != (b < 30) })
	w.run(15 * time.Minute)
	for _, p := range w.alive() {
		for _, n := range append(p.core.Active(), p.core.Passive()...) {
			if (p.index < 30) != (w.place(n.Addr()).index < 30) {
				t.Fatalf("%v still knows %v", p.node, n)
			}
		}
	}
	if parts := w.parts(); len(parts) != 2 {
		t.Fatalf("parts of %v during the partition", parts)
	}
	w.cut = func(a, b int) bool { return false }
	d := w.until(20*time.Minute, 5*time.Second, w.healed)
	w.sound("after the partition")
	t.Logf("one again after %v", d)
}

// Two clusters become one as soon as one node is told of the other.
func TestJoinEventMakesOneOfTwoClusters(t *testing.T) {
	w := newWorld(t, 6, Config{})
	for i := range 40 {
		w.boot(i, i/20*20)
		w.run(10 * time.Millisecond)
	}
	w.run(30 * time.Second)
	if parts := w.parts(); len(parts) != 2 {
		t.Fatalf("parts of %v", parts)
	}
	w.tell(3, w.places[3].node, overlay.Join{Addrs: []string{placeName(25)}})
	w.run(5 * time.Second)
	w.sound("after the join")
}

// Whoever takes for a neighbor one that does not is set right within an
// interval, whatever was lost before.
func TestOneSidedRelationsEndWithinTwoIntervals(t *testing.T) {
	w := newWorld(t, 7, Config{})
	w.grow(50, 10*time.Millisecond)
	w.run(30 * time.Second)
	spoiled := 0
	for _, p := range w.alive() {
		if q := p.core.randomNeighbor(overlay.Node{}, overlay.Node{}); q != nil {
			// As if a disconnect had been lost, and the link had stayed.
			p.core.end(q)
			q.due, q.accepted = p.core.now+time.Hour, true
			p.core.effects = nil
			delete(p.ups, q.node)
			spoiled++
		}
	}
	if wrong := len(w.wrong()); wrong < spoiled/2 {
		t.Fatalf("only %d of %d relations are one-sided", wrong, spoiled)
	}
	w.run(2 * DefaultShuffleInterval)
	w.sound("after two intervals")
}

func TestSameSeedGivesSameWorld(t *testing.T) {
	play := func(seed uint64) string {
		w := newWorld(t, seed, Config{XBot: &XBot{}})
		w.grow(60, 10*time.Millisecond)
		w.run(30 * time.Second)
		w.decimate(40)
		w.run(30 * time.Second)
		return w.neighbors()
	}
	one := play(1)
	if one != play(1) {
		t.Error("the same seed gives different views")
	}
	if one == play(2) {
		t.Error("another seed gives the same views")
	}
}
