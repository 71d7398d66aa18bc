package pool

import "github.com/topos-go/topos/internal/hash"

// Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
// increase hit rates"): of all slots a key belongs to the one with the highest
// weight for it. There is no table to keep, and a slot that comes or goes moves
// only the keys that it gets or had.

// weight is how much a slot wants a key.
func weight(slot int, key uint64) uint64 {
	return hash.Mix(key ^ hash.Mix(uint64(slot)+1))
}
