package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay/plumtree"
)

// A world is sabotaged so that one checker must find it, and says so.
func TestCheckersCatchWhatIsSabotaged(t *testing.T) {
	forget := func(w *world, who int32, in int) { // that who is a neighbor
		kept := w.nodes[in].near[:0]
		for _, nb := range w.nodes[in].near {
			if nb.node != who {
				kept = append(kept, nb)
			}
		}
		w.nodes[in].near = kept
	}
	for _, tt := range []struct {
		checker, says string
		sabotage      func(w *world)
	}{
		{"symmetry", "has node 7/1 for a neighbor, which has not", func(w *world) {
			forget(w, w.nodes[7].near[0].node, 7)
		}},
		{"size", "has 5 neighbors, and gets another", func(w *world) {
			for i := range w.nodes {
				if len(w.nodes[i].near) == 5 {
					w.neighborUp(int32(i), w.nodes[(i+1)%len(w.nodes)].self)
					return
				}
			}
		}},
		{"size", "neighbors, and has told of", func(w *world) {
			for i := range w.nodes {
				w.nodes[i].near = w.nodes[i].near[:1]
			}
		}},
		{"dead", "which is dead for 2m", func(w *world) {
			who, holder := w.nodes[7].near[0], &w.nodes[7]
			near := append([]neighbor(nil), holder.near...)
			w.stop(who.node, Reset)
			w.nodes[who.node].since -= int64(2 * time.Minute)
			w.run(10 * time.Second)
			holder.near = near
		}},
		{"connected", "40 nodes are in 2 parts", func(w *world) {
			for i := range w.nodes {
				w.nodes[i].group = uint8(i % 2)
			}
			w.cuts.parted = true // and nobody mends it
			w.run(10 * time.Second)
		}},
		{"evicted", "node 7 is nobody's neighbor", func(w *world) {
			w.nodes[7].group = 1
			w.cuts.parted = true
			w.run(10 * time.Second)
		}},
		{"delivery", "node 7 has not delivered broadcast", func(w *world) {
			c := &w.book.casts[len(w.book.casts)-1]
			c.bits[0] &^= 1 << 7
		}},
		{"delivery", "node 7 delivers broadcast 0 again", func(w *world) {
			c := &w.book.casts[0]
			id := plumtree.ID{Origin: w.who(c.origin, c.boot), Seq: 1}
			w.delivered(7, plumtree.Deliver{ID: id, Payload: []byte{0, 0, 0, 0}})
		}},
		{"delivery", "node 7 delivers broadcast 0 of ", func(w *world) {
			w.book.casts[0].bits[0] &^= 1 << 7
			w.delivered(7, plumtree.Deliver{ID: plumtree.ID{Origin: w.who(7, 9), Seq: 1}, Payload: []byte{0, 0, 0, 0}})
		}},
		{"view", "is down as a neighbor, but was not up", func(w *world) {
			w.neighborDown(7, w.who(7, 9))
		}},
	} {
		t.Run(tt.checker+" "+tt.says, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Nodes: 40, Seed: 1, Cycles: 3, Broadcasts: 3, sabotage: tt.sabotage}
			r, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations {
				if v.Checker == tt.checker && strings.Contains(v.What, tt.says) {
					return
				}
			}
			t.Errorf("nobody has noticed: %v", r.Violations)
		})
	}
}

func TestViolationsBeyondTheLimitAreOnlyCounted(t *testing.T) {
	cfg := Config{Nodes: 20, Seed: 1, Cycles: 1, Broadcasts: 1, MaxViolations: 3}
	cfg.sabotage = func(w *world) {
		for i := range w.nodes {
			w.neighborDown(int32(i), w.who(0, 9))
		}
	}
	r, err := Run(t.Context(), cfg)
	if err != nil || len(r.Violations) != 3 || r.Beyond < 17 {
		t.Errorf("%d violations and %d more, %v", len(r.Violations), r.Beyond, err)
	}
}
