package cluster

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/swim"
)

func all(int) bool { return true }

func but(gone ...int) func(int) bool {
	return func(i int) bool {
		for _, g := range gone {
			if i == g {
				return false
			}
		}
		return true
	}
}

func TestEveryNodeKnowsAllMembersThoughItIsLinkedToFew(t *testing.T) {
	w := newWorld(t, 1)
	w.grow(40)
	w.agree(all)
	if n := len(w.links); n > 40*5/2+10 {
		t.Errorf("%d links", n)
	}
}

func TestCrashIsKnownEverywhereSoon(t *testing.T) {
	w := newWorld(t, 2)
	w.grow(40)
	dead := w.places[7].node
	crashed := w.now
	w.end(7)
	w.run(10 * time.Second)
	w.agree(but(7))
	for i, p := range w.places {
		if i != 7 && (p.down[dead].Sub(crashed) > 2*time.Second || !errors.Is(p.reasons[dead], overlay.ErrUnreachable)) {
			t.Errorf("%v knows after %v: %v", p.node, p.down[dead].Sub(crashed), p.reasons[dead])
		}
	}
}

// In a crowd, too, where others than its neighbors leave it to these.
func TestNeighborsFindOutAtOnceInACrowd(t *testing.T) {
	w := newWorld(t, 3)
	w.grow(swim.DefaultCrowd + 16)
	for victim := 5; victim < len(w.places); victim += 8 {
		node, crashed := w.places[victim].node, w.now
		var near []*place
		for _, p := range w.places {
			if p.core != nil && p.core.neighbors[node] > 0 {
				near = append(near, p)
			}
		}
		w.end(victim)
		w.run(10 * time.Second)
		if len(near) == 0 {
			t.Errorf("%v had no neighbor", node)
		}
		for _, p := range near {
			at, ok := p.down[node]
			if after := at.Sub(crashed); !ok || after > time.Second {
				t.Errorf("%v knows of the crash of %v: %v, after %v", p.node, node, ok, after)
			}
			if !errors.Is(p.reasons[node], overlay.ErrUnreachable) {
				t.Errorf("%v: %v", p.node, p.reasons[node])
			}
		}
	}
}

// All who were linked to it know at the same time, and not all of them tell all others.
func TestFewOfThoseWhoKnowOfACrashBroadcastIt(t *testing.T) {
	w := newWorld(t, 12)
	w.grow(40)
	witnesses, before := 0, len(w.values)
	for pair := range w.links {
		if pair[0] == 7 || pair[1] == 7 {
			witnesses++
		}
	}
	w.end(7)
	w.run(10 * time.Second)
	w.agree(but(7))
	if n := len(w.values) - before; witnesses < 4 || n == 0 || n > (witnesses+1)/2+1 {
		t.Errorf("%d broadcasts: %v, while %d were linked to it", n, w.values[before:], witnesses)
	}
}

func TestTheDeathsOfManyAreFewBroadcasts(t *testing.T) {
	w := newWorld(t, 13)
	w.grow(40)
	before := len(w.values)
	for i := range 8 {
		w.end(4 * (i + 1))
	}
	w.run(10 * time.Second)
	w.agree(but(4, 8, 12, 16, 20, 24, 28, 32))
	if n := len(w.values) - before; n > 8*3 {
		t.Errorf("%d broadcasts of 8 deaths", n)
	}
}

func TestNodeThatFallsSilentIsFound(t *testing.T) {
	w := newWorld(t, 3)
	w.grow(40)
	dead := w.places[7].node
	w.silent = true
	w.end(7)
	w.run(20 * time.Second)
	w.agree(but(7))
	for i, p := range w.places {
		if i != 7 && !errors.Is(p.reasons[dead], overlay.ErrSilent) {
			t.Errorf("%v: %v", p.node, p.reasons[dead])
		}
	}
}

func TestNodeThatLeavesIsGoneAtOnceAndComesBackAsAnother(t *testing.T) {
	w := newWorld(t, 4)
	w.grow(30)
	gone := w.places[5].node
	w.carryOut(5, w.places[5].core.Step(w.now, overlay.LeaveRequested{}))
	w.run(3 * time.Second)
	w.end(5)
	w.agree(but(5))
	for i, p := range w.places {
		if i != 5 && !errors.Is(p.reasons[gone], overlay.ErrLeft) {
			t.Errorf("%v: %v", p.node, p.reasons[gone])
		}
		if i != 5 && !errors.Is(p.core.Outdated(gone), overlay.ErrLeft) {
			t.Errorf("%v would let it in: %v", p.node, p.core.Outdated(gone))
		}
	}
	w.boot(5)
	w.run(20 * time.Second)
	w.agree(all)
	if err := w.places[1].core.Outdated(gone); !errors.Is(err, overlay.ErrRestarted) {
		t.Errorf("the old one would be let in: %v", err)
	}
}

func TestRestartedNodeReplacesItsOldIncarnation(t *testing.T) {
	w := newWorld(t, 5)
	w.grow(30)
	old := w.places[9].node
	w.end(9)
	w.boot(9)
	w.run(20 * time.Second)
	w.agree(all)
	for i, p := range w.places {
		if _, down := p.down[old]; i != 9 && !down {
			t.Errorf("%v does not know that %v has ended", p.node, old)
		}
	}
}

func TestBroadcastsReachEveryNodeOnce(t *testing.T) {
	w := newWorld(t, 6)
	w.grow(40)
	for i := range 20 {
		w.carryOut(i, w.places[i].core.Step(w.now, overlay.Broadcast{Payload: []byte{byte('a' + i)}}))
		w.run(time.Second)
	}
	w.run(5 * time.Second)
	for _, p := range w.places {
		for i := range 20 {
			if n := p.delivered[string(rune('a'+i))]; n != 1 {
				t.Errorf("%v has had %c %d times", p.node, 'a'+i, n)
			}
		}
	}
}

func TestPartitionIsDetectedAndHeals(t *testing.T) {
	w := newWorld(t, 7)
	w.grow(30)
	w.split(func(i int) int { return i % 3 / 2 }) // every third is cut off
	w.run(time.Minute)
	for i, p := range w.places {
		want := 20
		if i%3 == 2 {
			want = 10
		}
		if n := len(p.core.Members()); n != want {
			t.Errorf("%v has %d members on its side", p.node, n)
		}
		if detected, _ := partitions(p); detected == 0 {
			t.Errorf("%v has detected no partition", p.node)
		}
	}
	w.side = func(int) int { return 0 }
	w.run(3 * time.Minute)
	w.agree(all)
	healed := 0
	for _, p := range w.places {
		if _, h := partitions(p); h > 0 {
			healed++
		}
	}
	if healed != len(w.places) {
		t.Errorf("%d of %d nodes have seen it heal", healed, len(w.places))
	}
}

func partitions(p *place) (detected, healed int) {
	for _, r := range p.reports {
		switch r.(type) {
		case directory.PartitionDetected:
			detected++
		case directory.PartitionHealed:
			healed++
		}
	}
	return detected, healed
}

func TestAssociationThatIsLostIsDownAndUpAgain(t *testing.T) {
	w := newWorld(t, 8)
	w.grow(5)
	other := w.places[1].node
	w.carryOut(0, w.places[0].core.Step(w.now, overlay.Lost{Node: other, Err: overlay.ErrForgotten}))
	if !errors.Is(w.places[0].reasons[other], overlay.ErrForgotten) {
		t.Errorf("reason %v", w.places[0].reasons[other])
	}
	w.run(10 * time.Second)
	w.agree(all)
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{})
	for _, part := range []string{"node name", "Topology"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}
