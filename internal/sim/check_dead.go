package sim

import "time"

// deadAfter is how long a dead node may be a neighbor: until a sign of life is
// sent to it, and that is not acknowledged; or four intervals of silence.
const deadAfter = 60 * time.Second

// checkDead: nobody has a node for a neighbor that has been dead for long.
func checkDead(w *world, report func(string, ...any) bool) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.state != live {
			continue
		}
		for _, nb := range n.near {
			if w.runs(nb.node, nb.boot) {
				continue
			}
			if gone := time.Duration(w.now - w.nodes[nb.node].since); gone > deadAfter {
				if !report("node %d has node %d/%d for a neighbor, which is dead for %v", i, nb.node, nb.boot, gone) {
					return
				}
			}
		}
	}
}
