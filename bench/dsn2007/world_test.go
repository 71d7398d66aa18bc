package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

func settled(nodes int, seed uint64) *world {
	w := newWorld(nodes, true, rand.New(rand.NewPCG(seed, 1)))
	for range 10 {
		w.cycle()
	}
	return w
}

// checkViews reports views that are not as the paper says: of distinct others, bounded, the two
// disjoint, active ones symmetric.
func checkViews(t *testing.T, w *world) {
	t.Helper()
	for n := range int32(len(w.active)) {
		if w.dead[n] {
			continue
		}
		if len(w.active[n].nodes) > activeSize || len(w.passive[n].nodes) > passiveSize {
			t.Errorf("%d has %d neighbors and %d candidates", n, len(w.active[n].nodes), len(w.passive[n].nodes))
		}
		known := map[int32]bool{n: true}
		for _, v := range []view{w.active[n], w.passive[n]} {
			for _, peer := range v.nodes {
				if known[peer] {
					t.Errorf("%d has %d twice, or itself", n, peer)
				}
				known[peer] = true
			}
		}
		for _, peer := range w.active[n].nodes {
			if !w.dead[peer] && !w.active[peer].has(n) {
				t.Errorf("%d has %d, which has not got it", n, peer)
			}
		}
	}
}

func TestViewsAreAsThePaperSays(t *testing.T) {
	w := settled(500, 1)
	checkViews(t, w)
	full := 0
	for n := range w.active {
		if w.active[n].full() && w.passive[n].full() {
			full++
		}
	}
	if full < 450 {
		t.Errorf("only %d of 500 have all their neighbors and candidates", full)
	}
	w.fail(300)
	for range 20 {
		w.flood(w.live[w.rng.IntN(len(w.live))])
		w.cycle()
	}
	checkViews(t, w)
}

func TestFloodReachesEverybodyWhereNobodyFails(t *testing.T) {
	w := settled(500, 2)
	for _, origin := range w.live {
		if share := w.flood(origin); share != 1 {
			t.Fatalf("%d has reached %v", origin, share)
		}
	}
}

// A failure is noticed in sending; nodes to which a flood does not come notice none.
func TestFailuresAreNoticedInSending(t *testing.T) {
	w := settled(500, 3)
	w.favorable = false
	w.fail(100)
	holders := func() (n int) {
		for _, l := range w.live {
			for _, peer := range w.active[l].nodes {
				if w.dead[peer] {
					n++
				}
			}
		}
		return n
	}
	before := holders()
	if before < 100 {
		t.Fatalf("only %d links to the dead", before)
	}
	reached := w.flood(w.live[0])
	if after := holders(); reached < 0.99 || after > before/50 {
		t.Errorf("%v of all have sent, and of %d links to the dead there are %d", reached, before, after)
	}
}

// ring makes nodes each of which has the next one for a neighbor, and for candidates, by which it
// can be seen how far a walk goes.
func ring(nodes int32) *world {
	w := newWorld(1, true, rand.New(rand.NewPCG(5, 1)))
	w.active, w.passive = make([]view, nodes), make([]view, nodes)
	w.dead, w.waits = make([]bool, nodes), make([]bool, nodes)
	for n := range nodes {
		w.active[n].size, w.passive[n].size = activeSize, passiveSize
	}
	for n := range nodes {
		w.link(n, (n+1)%nodes)
	}
	return w
}

func TestJoinIsForwardedAsFarAsThePaperSays(t *testing.T) {
	w := ring(20)
	w.forwardJoin(1, 19, 0) // 1 is the first of the walk, away from 0
	if !w.active[1+activeWalk].has(19) || !w.active[19].has(1+activeWalk) {
		t.Errorf("its neighbors are %v", w.active[19].nodes)
	}
	for n := range int32(20) {
		if w.passive[n].has(19) != (n == 1+activeWalk-passiveWalk) {
			t.Errorf("%d has it for a candidate: %v", n, w.passive[n].has(19))
		}
	}
}

func TestShuffleExchangesSamplesWhereItsWalkEnds(t *testing.T) {
	w := ring(20)
	for c := int32(10); c < 19; c++ {
		w.addPassive(0, c)
	}
	w.shuffle(0)
	var at []int32
	for n := range int32(20) {
		if n != 0 && len(w.passive[n].nodes) > 0 {
			at = append(at, n)
		}
	}
	// It went one way or the other. It has brought 0 itself, one of its two neighbors at least, as
	// it has no third, and four candidates.
	if len(at) != 1 || at[0] != activeWalk && at[0] != 20-activeWalk {
		t.Fatalf("it has come to %v", at)
	}
	got := &w.passive[at[0]]
	candidates := 0
	for c := int32(10); c < 19; c++ {
		if got.has(c) && !w.active[at[0]].has(c) {
			candidates++
		}
	}
	if !got.has(0) || candidates > shufflePassive || candidates < shufflePassive-2 || len(got.nodes) > 1+2+shufflePassive {
		t.Errorf("it has brought %v", got.nodes)
	}
}

func TestWhatWasSentMakesRoomForWhatHasCome(t *testing.T) {
	w := ring(100)
	for c := int32(10); c < 10+passiveSize; c++ {
		w.addPassive(0, c)
	}
	w.integrate(0, []int32{60, 61, 0, 1, 12}, []int32{13, 14, 15})
	v := &w.passive[0]
	if !v.has(60) || !v.has(61) || v.has(13) || v.has(14) || !v.has(15) || !v.has(12) || v.has(0) || v.has(1) || len(v.nodes) != passiveSize {
		t.Errorf("%v", v.nodes)
	}
}

// pair makes two nodes, of which the second has a full view.
func pair(t *testing.T) *world {
	t.Helper()
	w := newWorld(1, true, rand.New(rand.NewPCG(4, 1)))
	w.active, w.passive = make([]view, 8), make([]view, 8)
	w.dead, w.waits = make([]bool, 8), make([]bool, 8)
	for n := range w.active {
		w.active[n].size, w.passive[n].size = activeSize, passiveSize
	}
	for peer := int32(2); peer < 2+activeSize; peer++ {
		w.link(1, peer)
	}
	return w
}

func TestWhoHasNoNeighborIsNotRefused(t *testing.T) {
	w := pair(t)
	w.addPassive(0, 1)
	w.repair(0)
	if !w.active[0].has(1) || !w.active[1].has(0) || len(w.active[1].nodes) != activeSize {
		t.Errorf("%v, %v", w.active[0], w.active[1])
	}
}

func TestWhoHasNeighborsIsRefusedByAFullView(t *testing.T) {
	w := pair(t)
	w.link(0, 7)
	w.addPassive(0, 1)
	w.repair(0)
	if w.active[0].has(1) || w.active[1].has(0) || !w.passive[0].has(1) {
		t.Errorf("%v, %v, %v", w.active[0], w.active[1], w.passive[0])
	}
}

func TestReadingsDifferInWhoNoticesFailures(t *testing.T) {
	s := settings{nodes: 2000, cycles: 20, broadcasts: 100, senders: 10, heal: 20, kill: 0.8, seed: 1, reading: favorable}
	kind := play(s)
	s.reading = strict
	stern := play(s)
	if kind.Reliability < 0.97 || kind.Healed < 0.999 || stern.Reliability > kind.Reliability-0.1 || stern.Healed < 0.99 {
		t.Errorf("favorable %+v\nstrict %+v", kind, stern)
	}
	s.every = 1
	if often := play(s); often.Reliability < stern.Reliability+0.1 {
		t.Errorf("with a cycle after each broadcast %+v", often)
	}
}

func TestSameSeedGivesTheSameRun(t *testing.T) {
	args := []string{"-nodes", "300", "-cycles", "5", "-heal", "2", "-broadcasts", "50", "-kill", "0.9"}
	var one, two, other bytes.Buffer
	for out, seed := range map[*bytes.Buffer]string{&one: "1", &two: "1", &other: "2"} {
		if err := run(append(args, "-seed", seed), out); err != nil {
			t.Fatal(err)
		}
	}
	var a, b result
	if err := errors.Join(json.Unmarshal(one.Bytes(), &a), json.Unmarshal(other.Bytes(), &b)); err != nil {
		t.Fatal(err)
	}
	if one.String() != two.String() || a.Reliability == b.Reliability && a.Healed == b.Healed && a.Least == b.Least {
		t.Errorf("%s%s%s", &one, &two, &other)
	}
}

func TestSettingsWithoutSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-nodes", "1"}, {"-nodes", "10", "-kill", "0.9"}, {"-kill", "-0.1"}, {"-broadcasts", "0"}, {"-senders", "-1"}, {"-every", "-1"},
	} {
		if err := run(args, io.Discard); !errors.Is(err, errSettings) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := run([]string{"-reading", "kind"}, io.Discard); !errors.Is(err, errReading) {
		t.Errorf("%v", err)
	}
}
