package sim

import "slices"

// mutual reports whether node i's neighbor has node i for one.
func (w *world) mutual(i int32, nb neighbor) bool {
	return w.runs(nb.node, nb.boot) && slices.Contains(w.nodes[nb.node].near, neighbor{i, w.boot(i)})
}

// checkSymmetry: of two nodes, both or none have the other for a neighbor, unless
// something is on its way between them that may end it.
func checkSymmetry(w *world, report func(string, ...any) bool) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.state != live {
			continue
		}
		for _, nb := range n.near {
			if w.mutual(int32(i), nb) || w.underWay(int32(i), nb) {
				continue
			}
			if !report("node %d has node %d/%d for a neighbor, which has not", i, nb.node, nb.boot) {
				return
			}
		}
	}
}

// underWay reports whether something is on its way over the link to a neighbor.
func (w *world) underWay(i int32, nb neighbor) bool {
	_, k := w.find(i, nb.node, nb.boot)
	return k != nil && (k.ends[0].last >= w.now || k.ends[1].last >= w.now)
}
