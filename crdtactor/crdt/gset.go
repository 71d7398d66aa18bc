package crdt

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
)

// GSet is a set of strings that only grows. It needs neither replica ids nor a
// causal context, so its state is its elements and nothing else; but it has no
// digest either, and anti-entropy sends it whole. A set that grows large, or
// ever needs to forget, is better an [ORSet].
//
// The zero GSet is empty and ready to use; it must not be copied after first
// use. See [State] for concurrency and ownership.
type GSet struct {
	elements map[string]struct{}
}

// Add puts element into the set and returns the delta; it is zero if the
// element was there.
func (s *GSet) Add(element string) (delta *GSet) {
	delta = new(GSet)
	if s.put(element) {
		delta.put(element)
	}
	return delta
}

func (s *GSet) put(element string) bool {
	if s.Contains(element) {
		return false
	}
	if s.elements == nil {
		s.elements = make(map[string]struct{})
	}
	s.elements[element] = struct{}{}
	return true
}

// Contains reports whether element is in the set.
func (s *GSet) Contains(element string) bool {
	_, ok := s.elements[element]
	return ok
}

// Len returns the number of elements.
func (s *GSet) Len() int { return len(s.elements) }

// All yields the elements, sorted.
func (s *GSet) All() iter.Seq[string] { return sorted(s.names) }

func (s *GSet) names() []string { return slices.Sorted(maps.Keys(s.elements)) }

// IsZero reports whether the set is empty: such a delta need not be sent.
func (s *GSet) IsZero() bool { return len(s.elements) == 0 }

// Join implements [State].
func (s *GSet) Join(other *GSet) bool {
	changed := false
	if other != nil {
		for element := range other.elements {
			if s.put(element) {
				changed = true
			}
		}
	}
	return changed
}

// Clone implements [State].
func (s *GSet) Clone() *GSet { return &GSet{maps.Clone(s.elements)} }

// Equal implements [State].
func (s *GSet) Equal(other *GSet) bool { return maps.Equal(s.elements, other.elements) }

// MarshalBinary implements [State].
func (s *GSet) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint([]byte(kindGSet), uint64(len(s.elements)))
	for _, element := range s.names() {
		b = appendString(b, element)
	}
	return b, nil
}

// UnmarshalBinary implements [State].
func (s *GSet) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	r.kinds(kindGSet)
	n := r.count(1)
	var decoded GSet
	previous := ""
	for i := range n {
		element := r.text()
		ascending(&r, i, previous, element)
		if r.err != nil {
			return r.err
		}
		decoded.put(element)
		previous = element
	}
	if err := r.end(); err != nil {
		return err
	}
	*s = decoded
	return nil
}
