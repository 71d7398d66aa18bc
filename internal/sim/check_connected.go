package sim

import "slices"

// checkConnected: the live nodes are one graph, of links that both sides hold for
// neighbors.
func checkConnected(w *world, report func(string, ...any) bool) {
	if parts := w.parts(); len(parts) > 1 {
		report("%d nodes are in %d parts, of %v nodes", w.living, len(parts), parts[:min(len(parts), 20)])
	}
}

// parts returns the sizes of the components of the graph of live nodes, the
// largest first.
func (w *world) parts() []int {
	root := make([]int32, len(w.nodes))
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for i := range w.nodes {
		if w.nodes[i].state != live {
			continue
		}
		for _, nb := range w.nodes[i].near {
			if int32(i) < nb.node && w.mutual(int32(i), nb) {
				root[find(int32(i))] = find(nb.node)
			}
		}
	}
	size := make([]int, len(w.nodes))
	for i := range w.nodes {
		if w.nodes[i].state == live {
			size[find(int32(i))]++
		}
	}
	parts := slices.DeleteFunc(size, func(n int) bool { return n == 0 })
	slices.SortFunc(parts, func(a, b int) int { return b - a })
	return parts
}
