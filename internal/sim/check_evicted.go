package sim

// checkEvicted: every live node is the neighbor of a live one.
func checkEvicted(w *world, report func(string, ...any) bool) {
	if w.living < 2 {
		return
	}
	held := make([]bool, len(w.nodes))
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.state != live {
			continue
		}
		for _, nb := range n.near {
			if w.runs(nb.node, nb.boot) {
				held[nb.node] = true
			}
		}
	}
	for i := range w.nodes {
		if w.nodes[i].state == live && !held[i] {
			if !report("node %d is nobody's neighbor, and has %d", i, len(w.nodes[i].near)) {
				return
			}
		}
	}
}
