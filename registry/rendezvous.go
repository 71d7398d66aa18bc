package registry

import (
	"hash/fnv"

	"github.com/topos-go/topos/actor"
)

// Owner returns which of nodes a key belongs to, by rendezvous hashing (Thaler
// and Ravishankar, "A name-based mapping scheme for rendezvous", 1996): every
// node that knows the same nodes gives the same answer, in whatever order they
// are listed, and when a node goes only its own keys move. It returns the zero
// NodeID if there are no nodes.
//
// Only a node's name counts, so that a restarted node gets its keys back.
func Owner(key string, nodes []actor.NodeID) actor.NodeID {
	var best actor.NodeID
	var bestScore uint64
	for _, node := range nodes {
		score := score(key, node.Name)
		if best.IsZero() || score > bestScore || score == bestScore && node.Less(best) {
			best, bestScore = node, score
		}
	}
	return best
}

func score(key, node string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(node))
	h.Write([]byte{0})
	h.Write([]byte(key))
	// FNV leaves the high bits of short inputs poorly mixed; this finaliser
	// (of MurmurHash3) spreads them.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}
