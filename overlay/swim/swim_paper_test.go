package swim

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Sections of Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent
// Infection-style Process Group Membership Protocol" (DSN 2002).

// Section 3.1: in each period one member is pinged; if it has not answered in time,
// k others are asked to ping it; it is suspect at the end of the period, and not
// before, if none of them brings an answer.
func TestPaperProbeGoesDirectlyAndThenThroughOthers(t *testing.T) {
	b := newBench(t, 9, Config{})
	to, ping := b.turn()
	start := b.now
	helpers, asked := sent[PingReq](b.tick())
	if b.now.Sub(start) != DefaultTimeout || len(helpers) != DefaultIndirect {
		t.Fatalf("after %v, %d others are asked", b.now.Sub(start), len(helpers))
	}
	for i, h := range helpers {
		if h == to || slices.Index(helpers, h) != i || asked[i] != (PingReq{Seq: ping.Seq, Target: to}) {
			t.Errorf("%v is asked %+v", h, asked[i])
		}
	}
	b.tick()
	if b.now.Sub(start) != DefaultPeriod || !slices.Equal(b.c.Suspects(), []overlay.Node{to}) {
		t.Errorf("after %v, suspects %v", b.now.Sub(start), b.c.Suspects())
	}
}

// The same, for all ways of answering: only what comes from the target or from one
// who was asked, and has the period's number, counts.
func TestPaperAnswerCountsOnlyWithThePeriodsNumber(t *testing.T) {
	for name, answer := range map[string]func(b *bench, to overlay.Node, helpers []overlay.Node, ping Ping){
		"direct":     func(b *bench, to overlay.Node, _ []overlay.Node, p Ping) { b.hear(to, Ack(p)) },
		"indirect":   func(b *bench, _ overlay.Node, helpers []overlay.Node, p Ping) { b.hear(helpers[1], Ack(p)) },
		"not number": func(b *bench, to overlay.Node, _ []overlay.Node, p Ping) { b.hear(to, Ack{p.Seq - 1}) },
		"not asked": func(b *bench, to overlay.Node, helpers []overlay.Node, p Ping) {
			for _, other := range b.peers {
				if other != to && !slices.Contains(helpers, other) {
					b.hear(other, Ack(p))
				}
			}
		},
		"not known": func(b *bench, _ overlay.Node, _ []overlay.Node, p Ping) { b.hear(overlay.Node{Name: "x@y"}, Ack(p)) },
	} {
		b := newBench(t, 9, Config{})
		b.turn()
		to, ping := b.turn() // the first one has failed
		for _, s := range b.c.Suspects() {
			b.hear(s, Gossip{}, Fact{State: Alive, Node: s, Incarnation: 1, By: s})
		}
		helpers, _ := sent[PingReq](b.tick())
		for len(helpers) == 0 {
			helpers, _ = sent[PingReq](b.tick())
		}
		answer(b, to, helpers, ping)
		end := b.c.turnAt
		for b.now.Before(end) {
			b.tick()
		}
		if want := name[:3] == "not"; slices.Contains(b.c.Suspects(), to) != want {
			t.Errorf("%s: suspects %v", name, b.c.Suspects())
		}
	}
}

// A helper pings, and passes the answer on with the number of the one who asked.
func TestPaperHelperPassesTheAnswerOn(t *testing.T) {
	b := newBench(t, 3, Config{})
	to, pings := sent[Ping](b.hear(b.peers[0], PingReq{Seq: 77, Target: b.peers[1]}))
	if len(to) != 1 || to[0] != b.peers[1] {
		t.Fatalf("pings %v", to)
	}
	by, acks := sent[Ack](b.hear(b.peers[1], Ack(pings[0])))
	if len(by) != 1 || by[0] != b.peers[0] || acks[0].Seq != 77 {
		t.Errorf("acks %v to %v", acks, by)
	}
}

// Section 4.3: the list is gone through in a random order, in which newcomers have
// a random place, and drawn anew after each pass: a member is probed again within
// 2n-1 periods.
func TestPaperRoundRobinBoundsTheTimeBetweenTwoProbes(t *testing.T) {
	b := newBench(t, 20, Config{})
	last := make(map[overlay.Node]int)
	orders := make(map[string]bool)
	most := 0
	for pass := range 40 {
		var order []overlay.Node
		for n := range len(b.peers) {
			to, ping := b.turn()
			b.hear(to, Ack(ping))
			at := pass*len(b.peers) + n
			if before, ok := last[to]; ok {
				most = max(most, at-before)
			}
			last[to] = at
			order = append(order, to)
		}
		orders[fmt.Sprint(order)] = true
		slices.SortFunc(order, overlay.Node.Compare)
		if len(slices.Compact(order)) != len(b.peers) {
			t.Fatalf("pass %d misses somebody", pass)
		}
	}
	if n := len(b.peers); most > 2*n-1 || most < n+n/2 || len(orders) != 40 {
		t.Errorf("at most %d periods between two probes, %d orders", most, len(orders))
	}
	places := make(map[int]bool)
	for i := range 100 {
		b.step(Watch{overlay.Node{Name: fmt.Sprintf("new-%d@x", i)}})
		places[int(b.c.members.all[b.c.members.find(overlay.Node{Name: fmt.Sprintf("new-%d@x", i)})].place)/10] = true
	}
	if len(places) < 9 {
		t.Errorf("newcomers are at %v", places)
	}
}

// Section 3.1 and [Gupta, Chandra, Goldszmidt]: the expected time until somebody
// probes one that has failed is e/(e-1) periods, whatever the size of the group. The
// load does not depend on it either.
func TestPaperDetectionTimeAndLoadDoNotDependOnTheSize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 40, 160} {
		w := newWorld(9, n, Config{})
		w.run(20 * time.Second)
		perSecond := float64(w.counts.sent) / float64(n) / w.now.Seconds()
		if perSecond < 3.7 || perSecond > 4.01 {
			t.Errorf("%d nodes: %.2f messages a node and second", n, perSecond)
		}
		if w.counts.bytes > 20*w.counts.sent {
			t.Errorf("%d nodes: %d bytes in %d messages", n, w.counts.bytes, w.counts.sent)
		}
		var sum time.Duration
		var at time.Duration
		w.watch = func(_ *site, e Effect) {
			if _, ok := e.(Suspected); ok && at >= 0 {
				sum += w.now - DefaultPeriod - at // when the probe began
				at = -1
			}
		}
		const times = 40
		for i := range times {
			w.run(time.Duration(w.rng.Int64N(int64(time.Second))))
			at = w.now
			w.kill(i%n, false)
			for at >= 0 {
				w.run(50 * time.Millisecond)
			}
			w.replace(i % n)
			w.run(500 * time.Millisecond)
		}
		mean := float64(sum) / times / float64(DefaultPeriod)
		t.Logf("%d nodes: %.2f messages a node and second, first probe after %.2f periods", n, perSecond, mean)
		if mean < .5 || mean > math.E/(math.E-1) {
			t.Errorf("%d nodes: first probed after %.2f periods", n, mean)
		}
	}
}

// Section 4.1: facts go with messages that are sent anyway. Each node sends each
// fact lambda log n times at most, and all hear of it within some log n periods.
func TestPaperFactsInfectAllWithinBoundedSends(t *testing.T) {
	t.Parallel()
	for _, n := range []int{20, 80, 320} {
		w := newWorld(10, n, Config{Fanout: -1, Late: time.Hour})
		w.run(time.Second)
		about := w.sites[1].node
		fact := Fact{State: Alive, Node: about, Incarnation: 1, By: about}
		sends := make(map[*site]int)
		w.watch = func(s *site, e Effect) {
			if m, ok := e.(Send); ok && slices.Contains(m.Message.Facts, fact) {
				sends[s]++
				if _, gossip := m.Message.Body.(Gossip); gossip {
					t.Errorf("a message for news only")
				}
			}
		}
		before, start := w.counts.sent, w.now
		w.step(0, Heard{fact})
		var all time.Duration
		for w.now < start+20*time.Second {
			w.run(DefaultPeriod / 10)
			ill := 0
			for _, s := range w.sites {
				if i := s.core.members.find(about); i != nobody && s.core.members.incarnation(i) == 1 {
					ill++
				}
			}
			if all == 0 && ill == n-1 {
				all = w.now - start
			}
		}
		limit := int(math.Ceil(DefaultRetransmit * math.Log(float64(n+1))))
		most := 0
		for _, count := range sends {
			most = max(most, count)
		}
		t.Logf("%d nodes: all infected after %.1f periods; at most %d sends, of %d", n, all.Seconds()/DefaultPeriod.Seconds(), most, limit)
		if all == 0 || all > DefaultPeriod*time.Duration(2+2*math.Log2(float64(n))) || most > limit || len(sends) < n-1 {
			t.Errorf("%d nodes: all infected after %v; %d send it, at most %d times", n, all, len(sends), most)
		}
		if perSecond := float64(w.counts.sent-before) / float64(n) / 20; perSecond > 4.01 {
			t.Errorf("%d nodes: %.2f messages a node and second", n, perSecond)
		}
	}
}

// The same: "elements that have been gossiped fewer times are preferred".
func TestPaperFactsSentLeastOftenGoFirst(t *testing.T) {
	var r rumors
	name := func(i int) Fact { return Fact{State: Alive, Node: overlay.Node{Name: fmt.Sprint(i)}} }
	for i := range 3 {
		r.add(name(i), false, 10)
	}
	for step, want := range [][]int{{0, 1}, {2, 0}, {1, 2}, {9, 0}, {9, 1}, {2, 9}, {}} {
		if step == 3 {
			r.add(name(9), false, 10)
		}
		facts := r.take(nil, 2, 3)
		var names []Fact
		for _, i := range want {
			names = append(names, name(i))
		}
		if !slices.Equal(facts, names) {
			t.Errorf("step %d: %v, not %v", step, facts, names)
		}
	}
	if r.count != 0 || r.loud != 0 {
		t.Errorf("%d are left", r.count)
	}
}

// Section 4.2, the order of precedence: Alive overrides what has a smaller number;
// Suspect overrides Alive, and Confirm both, of the same number or a smaller one.
// What differs from the paper: Confirm is no end; a greater number overrides it, too.
// And a Confirm of what was not suspected before is a suspicion first.
func TestPaperFactsOverrideEachOther(t *testing.T) {
	states := []State{Alive, Suspect, Confirm}
	for _, was := range states {
		for _, is := range states {
			for _, n := range []uint64{4, 5, 6} {
				b := newBench(t, 9, Config{Late: time.Hour})
				of := b.peers[0]
				b.hear(of, Gossip{}, Fact{State: Alive, Node: of, Incarnation: 5, By: of})
				if was != Alive {
					b.hear(b.peers[1], Gossip{}, Fact{State: was, Node: of, Incarnation: 5, By: b.peers[1], Refused: true})
				}
				b.hear(b.peers[1], Gossip{}, Fact{State: is, Node: of, Incarnation: n, By: b.peers[2]})
				want := was
				if n > 5 || n == 5 && is > was {
					want = is
				}
				if want == Confirm && was != Confirm {
					if state, _ := b.c.State(of); state != Suspect {
						t.Errorf("%v 5, then at once confirm %d: %v", was, n, state)
					}
					b.now = b.now.Add(b.c.shortest() / 2)
					b.c.now = b.now
					b.hear(b.peers[1], Gossip{}, Fact{State: is, Node: of, Incarnation: n, By: b.peers[2]})
				}
				state, _ := b.c.State(of)
				if known := b.c.members.incarnation(b.c.members.find(of)); state != want || known != max(n, 5) {
					t.Errorf("%v 5, then %v %d: %v %d", was, is, n, state, known)
				}
			}
		}
	}
}

// Section 4.2: only the node itself raises its number, when it hears that it is
// suspected or failed with the present one.
func TestPaperOnlyANodeItselfRaisesItsNumber(t *testing.T) {
	b := newBench(t, 5, Config{})
	for n, f := range []Fact{
		{State: Suspect, Incarnation: 0},
		{State: Suspect, Incarnation: 0}, // it is refuted already
		{State: Confirm, Incarnation: 1},
		{State: Alive, Incarnation: 2},
		{State: Alive, Incarnation: 9},
	} {
		f.Node, f.By = b.c.cfg.Self, b.peers[0]
		b.hear(b.peers[0], Gossip{}, f)
		if want := []uint64{1, 1, 2, 2, 2}[n]; b.c.Incarnation() != want {
			t.Errorf("after %+v: %d, not %d", f, b.c.Incarnation(), want)
		}
	}
	for range 200 { // what it says of others has their own numbers
		for _, e := range b.tick() {
			if s, ok := e.(Send); ok {
				for _, f := range s.Message.Facts {
					if f.Node != b.c.cfg.Self && f.Incarnation != 0 {
						t.Fatalf("says %+v", f)
					}
				}
			}
		}
	}
}
