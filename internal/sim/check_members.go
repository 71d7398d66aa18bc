package sim

import (
	"math/bits"
	"slices"

	"github.com/topos-go/topos/overlay"
)

// checkMembers: to every live node all that live are members, and nobody else is.
func checkMembers(w *world, report func(string, ...any) bool) {
	if !w.cfg.Directory {
		return
	}
	all := w.places(func(n *node) bool { return n.state == live })
	step, seen := max(1, w.living/memberSample), 0
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.state != live {
			continue
		}
		wanting, known := 0, 0
		for k, word := range all {
			mine := uint64(0)
			if k < len(n.views) {
				mine = n.views[k]
			}
			wanting += bits.OnesCount64(word &^ mine)
			known += bits.OnesCount64(word & mine)
		}
		wanting-- // itself
		if wanting > 0 || n.ups != known {
			if !report("to node %d, %d of %d live nodes are members, and %d others", i, known, w.living-1, n.ups-known) {
				return
			}
			continue
		}
		if seen++; seen%step == 0 && !slices.Equal(n.whole.Members(), w.everybody()) {
			if !report("node %d lists other members than it has told of", i) {
				return
			}
		}
	}
}

// memberSample is of how many nodes the lists are looked at, too: to make one costs
// its node memory.
const memberSample = 10

// places returns those of the nodes for which ok holds.
func (w *world) places(ok func(*node) bool) []uint64 {
	all := make([]uint64, (len(w.nodes)+63)/64)
	for i := range w.nodes {
		if ok(&w.nodes[i]) {
			all[i>>6] |= 1 << (i & 63)
		}
	}
	return all
}

// everybody returns the nodes that live, sorted.
func (w *world) everybody() []overlay.Node {
	nodes := make([]overlay.Node, 0, w.living)
	for i := range w.nodes {
		if n := &w.nodes[i]; n.state == live {
			nodes = append(nodes, n.self)
		}
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}
