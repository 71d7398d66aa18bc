package registry

import (
	"hash/fnv"
	"math"

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

// Candidate is a node to choose from. Of two nodes one of which has twice the
// Weight of the other, it gets twice as many keys. A Weight of zero or less gets
// none.
type Candidate struct {
	Node   actor.NodeID
	Weight float64
}

// OwnerByWeight is [Owner] with weights (Schindelhauer and Schomaker, "Weighted
// distributed hash tables", 2005, the logarithmic method): when a weight grows,
// keys move to that node only, and when it shrinks, from it only. With equal
// weights it is Owner.
func OwnerByWeight(key string, candidates []Candidate) actor.NodeID {
	var best actor.NodeID
	var bestRank float64
	var bestScore uint64
	for _, c := range candidates {
		if !(c.Weight > 0) {
			continue
		}
		score := score(key, c.Node.Name)
		// Between 0 and 1, neither included.
		u := (float64(score>>11) + 0.5) / (1 << 53)
		rank := -c.Weight / math.Log(u)
		if best.IsZero() || rank > bestRank ||
			rank == bestRank && (score > bestScore || score == bestScore && c.Node.Less(best)) {
			best, bestRank, bestScore = c.Node, rank, score
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
