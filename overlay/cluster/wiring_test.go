package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// propose has the lowest living node ask for another topology.
func (w *world) propose(wiring string) {
	w.t.Helper()
	lowest := w.lowest()
	effects, err := w.places[lowest].core.Propose(w.now, wiring)
	if err != nil {
		w.t.Fatal(err)
	}
	w.carryOut(lowest, effects)
}

func (w *world) lowest() int {
	lowest := -1
	for i, p := range w.places {
		if p.core != nil && (lowest < 0 || p.node.Compare(w.places[lowest].node) < 0) {
			lowest = i
		}
	}
	return lowest
}

// linksOf counts the links of each place that has a node.
func (w *world) linksOf() []int {
	n := make([]int, len(w.places))
	for pair := range w.links {
		n[pair[0]]++
		n[pair[1]]++
	}
	return n
}

func TestTopologyIsReplacedWhileNodesBroadcast(t *testing.T) {
	wirings := []string{"hyparview", "fullmesh", "gossip", "clientserver", "hyparview", "clientserver", "gossip", "fullmesh", "hyparview"}
	w := newWorld(t, 21)
	w.grow(30)
	sent := 0
	for i, to := range wirings[1:] {
		w.propose(to)
		for range 300 { // 30 s
			w.carryOut(sent%30, w.places[sent%30].core.Step(w.now, overlay.Broadcast{Payload: fmt.Append(nil, "b", sent)}))
			sent++
			w.run(100 * time.Millisecond)
		}
		w.agree(all)
		for j, p := range w.places {
			if p.core.Wiring() != to || p.core.former != nil {
				t.Fatalf("%v is wired by %v, with %v still there, not by %v", p.node, p.core.Wiring(), p.core.former, to)
			}
			if len(p.down) != 0 {
				t.Fatalf("from %v to %v: %v has seen nodes down: %v", wirings[i], to, p.node, p.reasons)
			}
			if links := w.linksOf()[j]; to == "fullmesh" && links != 29 || to == "hyparview" && (links < 1 || links > 8) ||
				to == "clientserver" && (links < 2 || links > 29) || to == "gossip" && (links < 4 || links > 16) {
				t.Errorf("%v has %d links in %v", p.node, links, to)
			}
		}
	}
	w.run(10 * time.Second)
	for _, p := range w.places {
		for i := range sent {
			if n := p.delivered[fmt.Sprint("b", i)]; n != 1 {
				t.Fatalf("%v has had broadcast %d %d times", p.node, i, n)
			}
		}
	}
}

// What ended everywhere at once would leave a node without any link that is proven, if those
// of the later topology are just being made.
func TestEarlierTopologyEndsAtEachNodeInItsOwnTime(t *testing.T) {
	w := newWorld(t, 22)
	w.grow(20)
	w.propose("gossip")
	over := make(map[int]time.Duration)
	bySecond := make(map[time.Duration]int)
	for range 400 { // 20 s
		w.run(50 * time.Millisecond)
		for i, p := range w.places {
			if _, known := over[i]; !known && p.core.former == nil && !p.core.turned.IsZero() {
				over[i] = w.now.Sub(p.core.turned)
				bySecond[over[i].Truncate(time.Second)]++
			}
		}
	}
	for i, after := range over {
		if after < DefaultOverlap || after > 2*DefaultOverlap+time.Second {
			t.Errorf("node %d has ended it after %v", i, after)
		}
	}
	for second, n := range bySecond {
		if n > 10 {
			t.Errorf("%d have ended it within a second, after %v", n, second)
		}
	}
	if len(over) != 20 {
		t.Errorf("%d of 20 have ended it", len(over))
	}
}

func TestOnlyTheLowestNodeProposesATopology(t *testing.T) {
	w := newWorld(t, 22)
	w.grow(5)
	for i, p := range w.places {
		_, err := p.core.Propose(w.now, "gossip")
		if want := i != w.lowest(); errors.Is(err, directory.ErrNotLowest) != want {
			t.Errorf("%v: %v", p.node, err)
		}
	}
}

func TestNodeThatJoinsLaterTakesOverTheTopology(t *testing.T) {
	w := newWorld(t, 23)
	w.grow(8)
	w.propose("fullmesh")
	w.run(20 * time.Second)
	w.end(5)
	w.run(10 * time.Second)
	w.boot(5)
	w.run(40 * time.Second)
	w.agree(all)
	if got := w.places[5].core.Wiring(); got != "fullmesh" || w.linksOf()[5] != 7 {
		t.Errorf("it is wired by %v and has %d links", got, w.linksOf()[5])
	}
}

func TestTopologyChangedOnBothSidesOfAPartitionEndsAsOne(t *testing.T) {
	w := newWorld(t, 24)
	w.grow(16)
	side := func(i int) int { return i % 2 }
	w.split(side)
	w.run(time.Minute)
	w.propose("fullmesh")
	lowest := -1
	for i := range w.places {
		if side(i) != side(w.lowest()) && (lowest < 0 || w.places[i].node.Compare(w.places[lowest].node) < 0) {
			lowest = i
		}
	}
	effects, err := w.places[lowest].core.Propose(w.now, "gossip")
	if err != nil {
		t.Fatal(err)
	}
	w.carryOut(lowest, effects)
	w.run(30 * time.Second)
	w.side = func(int) int { return 0 }
	w.run(4 * time.Minute)
	w.agree(all)
	for _, p := range w.places {
		if p.core.Wiring() != w.places[0].core.Wiring() {
			t.Errorf("%v is wired by %v, %v by %v", p.node, p.core.Wiring(), w.places[0].node, w.places[0].core.Wiring())
		}
	}
}

func TestTopologyThatCannotBeMadeIsReportedAndTheFormerStays(t *testing.T) {
	w := newWorld(t, 25)
	w.grow(6)
	w.propose("ring")
	w.run(10 * time.Second)
	w.agree(all)
	for _, p := range w.places {
		reported := false
		for _, r := range p.reports {
			if r, ok := r.(Rewired); ok && r.Err != nil && r.To == "ring" {
				reported = true
			}
		}
		if !reported || p.core.Wiring() != "hyparview" {
			t.Errorf("%v: %v, wired by %v", p.node, p.reports, p.core.Wiring())
		}
	}
}

func TestNodesThatEndDuringAChangeAreFound(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(t, 30+seed)
		w.grow(20)
		w.propose([]string{"fullmesh", "gossip", "clientserver"}[seed%3])
		w.run(time.Duration(w.rng.Int64N(int64(8 * time.Second))))
		gone := []int{3 + w.rng.IntN(8), 12 + w.rng.IntN(8)}
		for _, i := range gone {
			w.end(i)
		}
		w.propose("hyparview")
		w.run(40 * time.Second)
		w.agree(but(gone...))
	}
}

// Links between clients are of no use to the topology that goes, and must not be
// closed while the one that comes has just made them.
func TestTopologyThatGoesClosesNoLinkThatTheOneThatComesHasMade(t *testing.T) {
	w := newWorld(t, 26)
	w.grow(16)
	w.propose("clientserver")
	w.run(20 * time.Second)
	w.propose("fullmesh")
	w.dials = 0
	w.run(20 * time.Second)
	w.agree(all)
	if n := len(w.links); n != 16*15/2 || w.dials > 2*n {
		t.Errorf("%d links, and %d were made for them", n, w.dials)
	}
}
