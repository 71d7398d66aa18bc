package plumtree

import (
	"testing"
	"time"
)

// eagerLinks counts the links that both sides, or one side, use eagerly.
func (w *world) eagerLinks() (both, one int) {
	for l := range w.links {
		a, b := w.eager(l[0], l[1]), w.eager(l[1], l[0])
		switch {
		case a && b:
			both++
		case a || b:
			one++
		}
	}
	return both, one
}

func (w *world) eager(a, b int) bool {
	c := w.hosts[a].core
	p := c.peer(w.hosts[b].node)
	return p != nil && !c.shared.isLazy(p.slot)
}

func TestEagerLinksBecomeASpanningTree(t *testing.T) {
	const n = 1000
	w := newWorld(t, 1, n, Config{})
	flood := w.flood(0)
	for i := range 12 {
		r := w.measure(0, 3*time.Second)
		both, one := w.eagerLinks()
		t.Logf("%d: RMR %.3f, last hop %d, flooding %d, reached %d, eager %d+%d of %d, grafts %d, optimized %d",
			i, r.redundancy, r.lastHop, flood, r.reached, both, one, len(w.links), r.graftsSent, w.total().Optimized)
	}
	for i := range 40 {
		r := w.measure(w.rng.IntN(n), 1*time.Second)
		both, one := w.eagerLinks()
		if i%5 == 4 { t.Logf("multi %d: RMR %.3f, last hop %d, reached %d, eager %d+%d of %d, grafts %d, optimized %d",
			i, r.redundancy, r.lastHop, r.reached, both, one, len(w.links), r.graftsSent, w.total().Optimized)
		}
	}
}
