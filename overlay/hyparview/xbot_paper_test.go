package hyparview

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// These tests hold X-BOT to Leitão, Marques, Pereira and Rodrigues, "X-BOT: A
// Protocol for Resilient Optimization of Unstructured Overlay Networks", SRDS
// 2009.

// plane is a world whose nodes lie on a square of 100 ms, far apart or near.
func plane(t testing.TB, seed uint64, n int, cfg Config) *world {
	w := newWorld(t, seed, cfg)
	at := rand.New(rand.NewPCG(seed, 1))
	xs, ys := make([]int, n), make([]int, n)
	for i := range n {
		xs[i], ys[i] = at.IntN(100), at.IntN(100)
	}
	w.latency = func(a, b int) time.Duration {
		dx, dy := xs[a]-xs[b], ys[a]-ys[b]
		return time.Duration(max(dx, -dx)+max(dy, -dy)+1) * time.Millisecond
	}
	w.grow(n, 10*time.Millisecond)
	return w
}

// Section V: the mean cost of the overlay's links falls, while every node keeps
// its number of neighbors, and the overlay stays connected. Without X-BOT the
// same nodes at the same places do not get nearer.
func TestXBotLowersMeanCostOfFullViews(t *testing.T) {
	t.Parallel()
	plain := plane(t, 7, 100, Config{})
	plain.run(time.Minute) // it does not change any more
	w := plane(t, 7, 100, Config{XBot: &XBot{}})
	w.checked = true
	w.run(30 * time.Second)
	before := w.degrees()
	w.run(210 * time.Second)
	w.until(5*time.Second, 100*time.Millisecond, w.healed) // exchanges that are under way
	w.sound("after four minutes")
	t.Logf("mean cost %v, without X-BOT %v; neighbors: %v, after half a minute %v", w.meanCost(), plain.meanCost(), w.degrees(), before)
	if w.meanCost() > plain.meanCost()*65/100 {
		t.Errorf("mean cost %v, without X-BOT %v", w.meanCost(), plain.meanCost())
	}
	if full := w.degrees()[DefaultActiveSize]; full < 90 {
		t.Errorf("only %d of 100 active views are full: %v", full, w.degrees())
	}
}

// Section IV: "nodes only start optimizing when their active view is full".
func TestViewsWithRoomAreNotOptimised(t *testing.T) {
	cfg := quiet("s1")
	cfg.XBot = &XBot{}
	s := newSolo(t, cfg)
	s.befriend(nodes("a", 4)...)
	s.meet(nodes("p", 9)...)
	for range 50 {
		s.c.xbot.roundAt = s.c.now
		for _, e := range s.c.Tick(s.now) {
			if _, ok := e.(overlay.Measure); ok {
				t.Fatalf("measures %v", e)
			}
		}
	}
}

// Section IV: the UN neighbors of the highest cost are unbiased, and never
// exchanged; the others are, the dearest first.
func TestUnbiasedNeighborsAreNeverReplaced(t *testing.T) {
	for unbiased := -1; unbiased <= 4; unbiased++ {
		cfg := quiet("s1")
		cfg.XBot = &XBot{Unbiased: unbiased}
		s := newSolo(t, cfg)
		if unbiased == 0 {
			unbiased = DefaultUnbiased
		}
		friends, candidates := nodes("a", 5), nodes("p", 1)
		s.befriend(friends...)
		s.meet(candidates...)
		s.c.xbot.roundAt = s.c.now
		s.c.Tick(s.now)
		for i, n := range friends {
			s.step(overlay.RTT{Node: n, RTT: time.Duration(100-i) * time.Millisecond}) // a0 is the dearest
		}
		s.step(overlay.RTT{Node: candidates[0], RTT: time.Millisecond})
		messages, _ := sent[Optimization](s, overlay.LinkUp{Node: candidates[0]})
		if want := friends[max(0, unbiased)]; len(messages) != 1 || messages[0].Old != want {
			t.Errorf("unbiased %d: %v, want for %v", unbiased, messages, want)
		}
	}
}

// Section IV: d takes part only if o is nearer than c, so that both links that
// come are cheaper than one of those that go, and their sum with them.
func TestExchangeNeverRaisesSumOfCosts(t *testing.T) {
	t.Parallel()
	w := plane(t, 8, 60, Config{XBot: &XBot{Threshold: -1}, Refresh: -1})
	w.until(time.Minute, time.Second, func() bool { return w.healed() && w.degrees()[5] >= 59 })
	w.run(30 * time.Second) // whoever has room has asked everybody
	last, falls := w.meanCost(), 0
	for range 60 {
		w.run(5 * time.Second)
		if !w.healed() {
			continue // in the middle of an exchange
		}
		if now := w.meanCost(); now > last+last/50 {
			t.Errorf("the mean cost rises from %v to %v", last, now)
		} else if now < last {
			falls++
			last = now
		}
	}
	if falls < 5 {
		t.Errorf("the mean cost fell %d times only", falls)
	}
}

// Section IV: whatever of an exchange is lost, and whoever fails in it, nodes
// end with views that are symmetric, full and connected.
func TestBrokenExchangesLeaveSoundViews(t *testing.T) {
	w := plane(t, 9, 80, Config{XBot: &XBot{Interval: 2 * time.Second, Timeout: 500 * time.Millisecond}})
	w.checked = true
	w.run(20 * time.Second)
	w.loss = 200
	for range 30 {
		w.run(time.Second)
		p := w.alive()[w.rng.IntN(len(w.alive()))]
		if ex := p.core.xbot.exchange; ex != nil && p.index != 0 {
			w.crash(p.index) // just then
		}
	}
	w.loss = 0
	w.run(DefaultShuffleInterval * 3 / 2) // each has told its neighbors that they are
	d := w.until(2*time.Minute, time.Second, w.healed)
	w.sound("after the loss")
	t.Logf("%d nodes live: sound after %v, neighbors: %v", len(w.alive()), d, w.degrees())
	if full := w.degrees()[DefaultActiveSize]; full < len(w.alive())*8/10 {
		t.Errorf("only %d of %d active views are full", full, len(w.alive()))
	}
}

// What is known of costs is bounded, and is of neighbors and candidates only.
func TestCostsOfStrangersAreNotRemembered(t *testing.T) {
	cfg := quiet("s1")
	cfg.XBot = &XBot{}
	s := newSolo(t, cfg)
	friends := nodes("a", 5)
	s.befriend(friends...)
	s.meet(nodes("p", 30)...)
	for _, n := range slices.Concat(friends, nodes("p", 30), nodes("x", 300)) {
		s.step(overlay.RTT{Node: n, RTT: time.Millisecond}, overlay.RTT{Node: n, RTT: -time.Millisecond})
	}
	if n := len(s.c.xbot.costs); n != 5 {
		t.Errorf("%d costs are known", n)
	}
	for range 200 {
		s.c.xbot.roundAt = s.c.now
		for _, e := range s.c.Tick(s.now) {
			if m, ok := e.(overlay.Measure); ok {
				s.step(overlay.RTT{Node: m.Node, RTT: time.Second})
			}
		}
	}
	if n := len(s.c.xbot.costs); n > 10 {
		t.Errorf("%d costs are known", n)
	}
}
