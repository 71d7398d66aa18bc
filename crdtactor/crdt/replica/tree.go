package replica

import (
	"slices"
	"strings"
)

// tree is a hash tree over the keys: 256 branches of 256 leaves each. The sum
// of a node is the exclusive or of the sums below it, so that a state that
// changes costs the same however many there are. The zero tree is empty.
//
// The hashes are for telling states apart that differ by chance; they are no
// defence against somebody who wants two to look the same.
type tree[S any] struct {
	leaves map[uint64]*leaf[S]
	tops   map[uint64]uint64
	root   uint64
	size   int // keys
}

type leaf[S any] struct {
	sum     uint64
	entries []*entry[S] // sorted by key
}

const fanOut = 256

// leafOf returns the leaf that a key belongs to.
func leafOf(key string) uint64 { return hash(key, nil) % (fanOut * fanOut) }

// put sets the sum of e, which is not 0.
func (t *tree[S]) put(e *entry[S], sum uint64) {
	if t.leaves == nil {
		t.leaves = make(map[uint64]*leaf[S])
		t.tops = make(map[uint64]uint64)
	}
	at := leafOf(e.key)
	l := t.leaves[at]
	if l == nil {
		l = new(leaf[S])
		t.leaves[at] = l
	}
	if e.sum == 0 {
		i, _ := slices.BinarySearchFunc(l.entries, e.key, func(e *entry[S], key string) int { return strings.Compare(e.key, key) })
		l.entries = slices.Insert(l.entries, i, e)
		t.size++
	}
	difference := e.sum ^ sum
	e.sum = sum
	l.sum ^= difference
	t.tops[at/fanOut] ^= difference
	t.root ^= difference
}

// remove takes e out, if it is in the tree.
func (t *tree[S]) remove(e *entry[S]) {
	if e.sum == 0 {
		return
	}
	t.put(e, 0)
	l := t.leaves[leafOf(e.key)]
	l.entries = slices.DeleteFunc(l.entries, func(other *entry[S]) bool { return other == e })
	t.size--
}

// branches returns the sums of the branches that have any keys.
func (t *tree[S]) branches() []Sum {
	var sums []Sum
	for top := range uint64(fanOut) {
		if sum, ok := t.tops[top]; ok {
			sums = append(sums, Sum{At: top, Sum: sum})
		}
	}
	return sums
}

// differing returns the branches whose sums are not as theirs says.
func (t *tree[S]) differing(theirs []Sum) []uint64 {
	known := make(map[uint64]uint64, len(theirs))
	for _, s := range theirs {
		known[s.At] = s.Sum
	}
	var tops []uint64
	for top := range uint64(fanOut) {
		if mine, ok := t.tops[top]; ok && mine != known[top] {
			tops = append(tops, top)
		}
	}
	return tops
}

// below returns the sums of the leaves of a branch that have any keys.
func (t *tree[S]) below(top uint64) []Sum {
	var sums []Sum
	for at := top * fanOut; at < (top+1)*fanOut; at++ {
		if l := t.leaves[at]; l != nil {
			sums = append(sums, Sum{At: at, Sum: l.sum})
		}
	}
	return sums
}

// sum returns the sum of the leaf at, 0 if it has no keys.
func (t *tree[S]) sum(at uint64) uint64 {
	if l := t.leaves[at]; l != nil {
		return l.sum
	}
	return 0
}

// in returns the entries of the leaf at, sorted; the caller must not change
// them.
func (t *tree[S]) in(at uint64) []*entry[S] {
	if l := t.leaves[at]; l != nil {
		return l.entries
	}
	return nil
}

// hash is FNV-1a of key and data, mixed so that every bit depends on every
// other; it is never 0.
func hash(key string, data []byte) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * prime
	}
	h = (h ^ 0xff) * prime
	for _, b := range data {
		h = (h ^ uint64(b)) * prime
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return max(1, h^h>>31)
}
