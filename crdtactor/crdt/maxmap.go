package crdt

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
)

// MaxMap maps strings to the greatest number ever raised for them: high-water
// marks, versions, sequence numbers. Numbers never fall and keys never go, so
// it must not be used for quantities that people also lower or remove; that is
// what a [Cart] is for.
//
// The zero MaxMap is empty and ready to use; it must not be copied after first
// use. See [State] for concurrency and ownership. It has no digest:
// anti-entropy sends it whole.
type MaxMap struct {
	marks map[string]int64
}

// Raise makes the number of key at least n and returns the delta; it is zero
// if the number was there already.
func (m *MaxMap) Raise(key string, n int64) (delta *MaxMap) {
	delta = new(MaxMap)
	if m.raise(key, n) {
		delta.raise(key, n)
	}
	return delta
}

func (m *MaxMap) raise(key string, n int64) bool {
	if old, ok := m.marks[key]; ok && old >= n {
		return false
	}
	if m.marks == nil {
		m.marks = make(map[string]int64)
	}
	m.marks[key] = n
	return true
}

// Get returns the number of key and whether there is one.
func (m *MaxMap) Get(key string) (int64, bool) {
	n, ok := m.marks[key]
	return n, ok
}

// Len returns the number of keys.
func (m *MaxMap) Len() int { return len(m.marks) }

// All yields keys and numbers, sorted by key.
func (m *MaxMap) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, key := range m.keys() {
			if !yield(key, m.marks[key]) {
				return
			}
		}
	}
}

func (m *MaxMap) keys() []string { return slices.Sorted(maps.Keys(m.marks)) }

// IsZero reports whether the map is empty: such a delta need not be sent.
func (m *MaxMap) IsZero() bool { return len(m.marks) == 0 }

// Join implements [State].
func (m *MaxMap) Join(other *MaxMap) bool {
	changed := false
	if other != nil {
		for key, n := range other.marks {
			if m.raise(key, n) {
				changed = true
			}
		}
	}
	return changed
}

// Clone implements [State].
func (m *MaxMap) Clone() *MaxMap { return &MaxMap{maps.Clone(m.marks)} }

// Equal implements [State].
func (m *MaxMap) Equal(other *MaxMap) bool { return maps.Equal(m.marks, other.marks) }

// MarshalBinary implements [State].
func (m *MaxMap) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint([]byte(kindMaxMap), uint64(len(m.marks)))
	for _, key := range m.keys() {
		b = appendString(b, key)
		b = binary.AppendVarint(b, m.marks[key])
	}
	return b, nil
}

// UnmarshalBinary implements [State].
func (m *MaxMap) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	r.kinds(kindMaxMap)
	n := r.count(2)
	var decoded MaxMap
	previous := ""
	for i := range n {
		key, mark := r.text(), r.varint()
		ascending(&r, i, previous, key)
		if r.err != nil {
			return r.err
		}
		decoded.raise(key, mark)
		previous = key
	}
	if err := r.end(); err != nil {
		return err
	}
	*m = decoded
	return nil
}
