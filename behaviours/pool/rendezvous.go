package pool

// Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
// increase hit rates"): of all slots a key belongs to the one with the highest
// weight for it. There is no table to keep, and a slot that comes or goes moves
// only the keys that it gets or had.

// hashKey is FNV-1a, mixed because its last bytes hardly move the upper bits.
func hashKey(key string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(key) {
		h ^= uint64(key[i])
		h *= prime
	}
	return mix(h)
}

// weight is how much a slot wants a key.
func weight(slot int, hash uint64) uint64 {
	return mix(hash ^ mix(uint64(slot)+1))
}

// mix is the finaliser of splitmix64: each bit of x moves half of the result.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
