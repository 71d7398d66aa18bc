package main

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/topos-go/topos/actor"
)

// copies is how many nodes keep each key.
const copies = 2

// owners returns the nodes that keep key, of those given: the highest by
// rendezvous hashing. When a node comes or goes, one owner of some keys changes
// and none of the others; so a reader always finds one who had the key before.
func owners(key string, nodes []actor.NodeID) []actor.NodeID {
	ranked := slices.Clone(nodes)
	slices.SortFunc(ranked, func(a, b actor.NodeID) int {
		if d := cmp.Compare(weight(key, b.Name), weight(key, a.Name)); d != 0 {
			return d
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return ranked[:min(copies, len(ranked))]
}

func weight(key, node string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(node + "\x00" + key))
	// The last bytes of FNV spread badly; this is splitmix64's finish.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
