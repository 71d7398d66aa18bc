package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/plumtree"
)

// neighbors is a topology in which whoever has a link is a neighbor.
type neighbors struct{}

func (neighbors) Step(_ time.Time, ev overlay.Event) overlay.Effects {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		return overlay.Effects{overlay.NeighborUp{Node: ev.Node}}
	case overlay.LinkDown:
		return overlay.Effects{overlay.NeighborDown{Node: ev.Node}}
	case overlay.Lost: // stands for what a topology gives up by itself
		return overlay.Effects{overlay.NeighborDown{Node: ev.Node}}
	}
	return nil
}
func (neighbors) Tick(time.Time) overlay.Effects { return nil }
func (neighbors) Deadline() time.Time            { return time.Time{} }

// A node that is lost leaves the trees in more parts than one that a topology gives up, of
// which the other side knows.
func TestBroadcastTreesAreToldWhetherANeighborIsLost(t *testing.T) {
	grafts := func(ev func(overlay.Node) overlay.Event) (n int) {
		w := newWorld(t, 1)
		core, err := New(Config{Self: overlay.Node{Name: "a@a", Boot: 1}, Topology: neighbors{}, Rand: w.rng, Encode: w.encode, Decode: w.decode})
		if err != nil {
			t.Fatal(err)
		}
		var near overlay.Node
		for i := range 5 {
			near = overlay.Node{Name: fmt.Sprintf("n%d@n%d", i, i), Boot: 1}
			core.Step(w.now, overlay.LinkUp{Node: near})
		}
		for _, e := range core.Step(w.now, ev(near)) {
			if e, ok := e.(overlay.Send); ok {
				if _, ok := e.Message.(plumtree.Graft); ok {
					n++
				}
			}
		}
		return n
	}
	lost := grafts(func(n overlay.Node) overlay.Event { return overlay.LinkDown{Node: n} })
	givenUp := grafts(func(n overlay.Node) overlay.Event { return overlay.Lost{Node: n} })
	if lost != plumtree.DefaultMend || givenUp != 1 {
		t.Errorf("%d others are asked to mend a tree, and %d when the link is still there", lost, givenUp)
	}
}
