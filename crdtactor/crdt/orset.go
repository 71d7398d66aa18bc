package crdt

import "iter"

// ORSet is a set of strings from which elements can be removed and to which
// they can be added again. A removal removes the additions it has seen; if an
// element is added at one replica while another removes it, it stays: the
// addition wins.
//
// An element that is present costs one dot, or one for each replica that added
// it at the same time; a removed one leaves nothing behind. The zero ORSet is
// empty and ready to use; it must not be copied after first use. See [State]
// for concurrency and ownership, and [Digester] for anti-entropy.
//
// It is the optimized add-wins set: Bieniusa et al., "An optimized conflict-free
// replicated set" (2012), and with deltas Almeida et al. (2018).
type ORSet struct {
	causal
}

// Add puts element into the set on behalf of replica and returns the delta.
// Adding an element that is there already is not idle: it protects the element
// from removals that are under way and have not seen this addition.
func (s *ORSet) Add(replica ReplicaID, element string) (delta *ORSet) {
	replica.mustBeNamed()
	s.open()
	delta = &ORSet{fresh()}
	s.replace(s.root.kid(element), replica, &delta.causal, delta.root.kid(element))
	return delta
}

// Remove takes element out of the set, as far as its additions have been seen,
// and returns the delta; it is zero if the element was not there.
func (s *ORSet) Remove(element string) (delta *ORSet) {
	delta = &ORSet{fresh()}
	if s.book != nil {
		s.clear(s.root.kid(element), "", &delta.causal, delta.root.kid(element))
	}
	return delta
}

// Clear takes out every element seen and returns the delta.
func (s *ORSet) Clear() (delta *ORSet) {
	delta = &ORSet{fresh()}
	if s.book != nil {
		s.clear(s.root, "", &delta.causal, delta.root)
	}
	return delta
}

// Contains reports whether element is in the set.
func (s *ORSet) Contains(element string) bool { return s.tree().kids[element] != nil }

// Len returns the number of elements.
func (s *ORSet) Len() int { return len(s.tree().kids) }

// All yields the elements, sorted.
func (s *ORSet) All() iter.Seq[string] { return sorted(s.tree().names) }

// sorted yields what names returns, which it calls once per iteration.
func sorted(names func() []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range names() {
			if !yield(name) {
				return
			}
		}
	}
}

// Join implements [State].
func (s *ORSet) Join(other *ORSet) bool { return other != nil && s.join(&other.causal) }

// Clone implements [State].
func (s *ORSet) Clone() *ORSet { return &ORSet{s.clone()} }

// Equal implements [State].
func (s *ORSet) Equal(other *ORSet) bool { return s.equal(&other.causal) }

// DeltaSince implements [Digester].
func (s *ORSet) DeltaSince(d *Digest) *ORSet { return &ORSet{s.since(d)} }

// Foldable implements [Folder].
func (s *ORSet) Foldable(replica ReplicaID) bool { return s.foldable(replica) }

// Fold implements [Folder].
func (s *ORSet) Fold(replica ReplicaID) *ORSet { return &ORSet{s.fold(replica)} }

// MarshalBinary implements [State].
func (s *ORSet) MarshalBinary() ([]byte, error) { return s.encode(s.shape()), nil }

// UnmarshalBinary implements [State].
func (s *ORSet) UnmarshalBinary(data []byte) error { return s.decode(data, s.shape()) }

func (*ORSet) shape() shape         { return shape{kinds: kindORSet, depth: 1} }
func (*ORSet) nest(c causal) *ORSet { return &ORSet{c} }

func (s *ORSet) core() *causal {
	if s == nil {
		return nil
	}
	return &s.causal
}
