package sim

import (
	"math/bits"
	"time"
)

// goneAfter is how long a dead node may be a member: until somebody has asked it
// whose turn it was, though four of five have died at once, and then until those hear
// of it who were cut off.
const goneAfter = 5 * time.Minute

// checkGone: nobody has a node for a member that has been dead for long.
func checkGone(w *world, report func(string, ...any) bool) {
	if !w.cfg.Directory {
		return
	}
	gone := w.places(func(n *node) bool { return n.state == dead && time.Duration(w.now-n.since) > goneAfter })
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.state != live {
			continue
		}
		for k, mine := range n.views {
			if both := mine & gone[k]; both != 0 {
				if j := 64*k + bits.TrailingZeros64(both); !report("node %d has node %d for a member, which is dead", i, j) {
					return
				}
			}
		}
	}
}
