package ledger

import (
	"hash/fnv"
	"iter"
	"maps"
	"slices"
)

// Buckets is how many buckets a part has: few enough that their sums fit in a
// small message, and enough that one of them is little to send: of 100,000
// records, some 400.
const Buckets = 256

// Record is one key of a part as it travels.
type Record[V any] struct {
	_ struct{} `cbor:",toarray"`
	// Key is not empty.
	Key string
	// Version is the part's number of changes when this one was made.
	Version uint64
	// Gone says that the key is not there any more.
	Gone  bool
	Value V
}

// versioned is one key of a part as it is kept.
type versioned[V any] struct {
	version uint64
	value   V
}

// part is what one node has written.
//
// Invariant: sums[b] is the sum of the fingerprints of what is in buckets[b],
// and total that of all.
type part[V any] struct {
	buckets [Buckets]map[string]versioned[V]
	sums    [Buckets]uint64
	total   uint64
	size    int
}

func (p *part[V]) get(key string) (versioned[V], bool) {
	v, ok := p.buckets[bucketOf(key)][key]
	return v, ok
}

func (p *part[V]) set(key string, v versioned[V]) {
	b := bucketOf(key)
	if p.buckets[b] == nil {
		p.buckets[b] = make(map[string]versioned[V])
	}
	if old, ok := p.buckets[b][key]; ok {
		p.count(b, -fingerprint(key, old.version), 0)
	} else {
		p.size++
	}
	p.buckets[b][key] = v
	p.count(b, fingerprint(key, v.version), 0)
}

func (p *part[V]) remove(key string) {
	b := bucketOf(key)
	if old, ok := p.buckets[b][key]; ok {
		delete(p.buckets[b], key)
		p.count(b, -fingerprint(key, old.version), -1)
		if len(p.buckets[b]) == 0 {
			p.buckets[b] = nil
		}
	}
}

func (p *part[V]) count(bucket int, sum uint64, size int) {
	p.sums[bucket] += sum
	p.total += sum
	p.size += size
}

// clear empties the part.
func (p *part[V]) clear() { *p = part[V]{} }

// all iterates over the part in no order.
func (p *part[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, bucket := range p.buckets {
			for key, v := range bucket {
				if !yield(key, v.value) {
					return
				}
			}
		}
	}
}

// after returns the keys of a bucket that are greater than key, sorted.
func (p *part[V]) after(bucket int, key string) []string {
	keys := slices.Sorted(maps.Keys(p.buckets[bucket]))
	i, found := slices.BinarySearch(keys, key)
	if found {
		i++
	}
	return keys[i:]
}

// bucketOf is the same on all nodes.
func bucketOf(key string) int { return int(hash(key) % Buckets) }

// fingerprint tells one version of a key from others.
func fingerprint(key string, version uint64) uint64 {
	return mix(hash(key) ^ mix(version+0x9e3779b97f4a7c15))
}

func hash(key string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it never fails
	return mix(h.Sum64())
}

// mix is the finaliser of MurmurHash3: FNV leaves the high bits of short inputs
// poorly mixed.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
