package sim

import "github.com/topos-go/topos/overlay/hyparview"

// checkNeighborUp is the check of views at the moment at which they grow: so it
// holds always, not only when one looks.
func (w *world) checkNeighborUp(i int32, nb neighbor) {
	n := &w.nodes[i]
	switch _, k := w.find(i, nb.node, nb.boot); {
	case nb.node < 0 || nb.node == i:
		w.violation("size", "node %d has itself or nobody for a neighbor", i)
	case w.cfg.Topology == HyParView && len(n.near) >= hyparview.DefaultActiveSize:
		w.violation("size", "node %d has %d neighbors, and gets another", i, len(n.near))
	case k == nil:
		w.violation("size", "node %d has node %d/%d for a neighbor, but no link to it", i, nb.node, nb.boot)
	}
	for _, other := range n.near {
		if other.node == nb.node {
			w.violation("size", "node %d has node %d for a neighbor twice", i, nb.node)
		}
	}
}

// sampleSize is how many nodes are looked into for what costs time.
const sampleSize = 1000

// checkSizes: no view is ever larger than it may be, and the active view is what
// NeighborUp and NeighborDown have said.
func checkSizes(w *world, report func(string, ...any) bool) {
	step := max(1, len(w.nodes)/sampleSize)
	for i := int(w.now/slots) % step; i < len(w.nodes); i += step {
		n := &w.nodes[i]
		if n.state != live || n.hpv == nil {
			continue
		}
		active, passive := n.hpv.Active(), n.hpv.Passive()
		if len(active) != len(n.near) {
			if !report("node %d has %d neighbors, and has told of %d", i, len(active), len(n.near)) {
				return
			}
		}
		if len(active) > hyparview.DefaultActiveSize || len(passive) > hyparview.DefaultPassiveSize {
			if !report("node %d has %d neighbors and %d candidates", i, len(active), len(passive)) {
				return
			}
		}
	}
}
