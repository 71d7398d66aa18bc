// Package hash is the hash by which things are spread: over rings, slots and
// seeds. It is the same on every node and in every build, and no defence against
// whoever chooses the keys.
package hash

// Of is FNV-1a of s, mixed because its last bytes hardly move the upper bits.
func Of(s string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return Mix(h)
}

// Mix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): each bit
// of x moves half of the result, and no two x have the same.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
