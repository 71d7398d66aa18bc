package main

import (
	"math/rand/v2"
	"slices"
)

// view is a bounded set of nodes.
type view struct {
	nodes []int32
	size  int
}

func (v *view) has(n int32) bool { return slices.Contains(v.nodes, n) }

func (v *view) full() bool { return len(v.nodes) >= v.size }

// remove takes n out, and reports whether it was in.
func (v *view) remove(n int32) bool {
	i := slices.Index(v.nodes, n)
	if i >= 0 {
		v.nodes[i] = v.nodes[len(v.nodes)-1]
		v.nodes = v.nodes[:len(v.nodes)-1]
	}
	return i >= 0
}

// other returns a random node of v that is not but; false if there is none.
func (v *view) other(rng *rand.Rand, but int32) (int32, bool) {
	n := len(v.nodes)
	at := slices.Index(v.nodes, but)
	if at >= 0 {
		n--
	}
	if n == 0 {
		return 0, false
	}
	i := rng.IntN(n)
	if at >= 0 && i >= at {
		i++
	}
	return v.nodes[i], true
}

// sample returns up to k random nodes of v.
func (v *view) sample(rng *rand.Rand, k int) []int32 {
	nodes := slices.Clone(v.nodes)
	rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes[:min(k, len(nodes))]
}
