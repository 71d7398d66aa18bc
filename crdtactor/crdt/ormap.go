package crdt

import "iter"

// Value is what an [ORMap] can hold: *[Tally], *[ORSet], *[MVRegister],
// *[EnableFlag] and *ORMap itself. They share the map's causal context, which
// is why no type outside this package can be a Value.
type Value[V any] interface {
	// nest returns a V whose state is c. It must work on a nil receiver.
	nest(c causal) V
	// core returns the state; nil for a nil receiver.
	core() *causal
	// shape returns the shape of V's tree. It must work on a nil receiver.
	shape() shape
}

// ORMap maps strings to replicated values that can be changed at several
// replicas at once and removed. Changes to one key merge as the values do.
// Removing a key removes what was seen of its value; what was changed elsewhere
// at the same time stays, and with it the key. A key is in the map as long as
// anything lives in its value, so an [ORSet] without elements or an
// [EnableFlag] that is off leaves no key.
//
// All values share one causal context; a removed key leaves no trace, except
// that [Tally] values keep marks for a while (see there). The zero ORMap is
// empty and ready to use; it must not be copied after first use. See [State]
// for concurrency and ownership, and [Digester] for anti-entropy.
//
// It is the map that embeds causal types of Almeida et al. (2018).
type ORMap[V Value[V]] struct {
	causal
}

// Update changes the value of key and returns the delta. It calls mutate with
// the value, an empty one if there is none; mutate calls the value's mutators
// and returns their delta, several of them joined into one, or nil if it
// changed nothing:
//
//	delta := m.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet {
//		return s.Add(me, "apple")
//	})
//
// A change whose delta mutate does not return happens all the same; others
// learn of it by anti-entropy only. The value and the delta that mutate
// returned belong to the map afterwards.
func (m *ORMap[V]) Update(key string, mutate func(V) V) (delta *ORMap[V]) {
	m.open()
	var none V
	inner := mutate(none.nest(causal{m.book, m.root.kid(key)})).core()
	if inner == nil || inner.book == nil {
		return new(ORMap[V])
	}
	inner.mustBeWhole()
	delta = &ORMap[V]{causal{inner.book, new(node)}}
	if !inner.root.empty() {
		inner.root.name, inner.root.up = key, delta.root
		inner.root.attach()
	}
	return delta
}

// Remove removes, on behalf of replica, what was seen of key's value and
// returns the delta; it is zero if that changed nothing.
func (m *ORMap[V]) Remove(replica ReplicaID, key string) (delta *ORMap[V]) {
	replica.mustBeNamed()
	delta = &ORMap[V]{fresh()}
	if m.book != nil {
		m.sweep(replica, &delta.causal)
		m.clear(m.root.kid(key), replica, &delta.causal, delta.root.kid(key))
	}
	return delta
}

// Get returns the value of key and whether there is one; without one the value
// is empty. It is a window on the map: good for reading until the map changes.
// To change it use [ORMap.Update]; a Clone of it is a state of its own and must
// not be joined into the map again.
func (m *ORMap[V]) Get(key string) (V, bool) {
	var none V
	if kid := m.tree().kids[key]; kid != nil && kid.present() {
		return none.nest(causal{m.book, kid}), true
	}
	return none.nest(causal{}), false
}

// Len returns the number of keys. It looks at each.
func (m *ORMap[V]) Len() int {
	n := 0
	for _, kid := range m.tree().kids {
		if kid.present() {
			n++
		}
	}
	return n
}

// All yields keys and values, sorted by key. For the values see [ORMap.Get].
func (m *ORMap[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range m.tree().names() {
			if v, ok := m.Get(key); ok && !yield(key, v) {
				return
			}
		}
	}
}

// Compact implements [Compactor].
func (m *ORMap[V]) Compact(replica ReplicaID) *ORMap[V] { return &ORMap[V]{m.compact(replica)} }

// Join implements [State].
func (m *ORMap[V]) Join(other *ORMap[V]) bool { return other != nil && m.join(&other.causal) }

// Clone implements [State].
func (m *ORMap[V]) Clone() *ORMap[V] { return &ORMap[V]{m.clone()} }

// Equal implements [State].
func (m *ORMap[V]) Equal(other *ORMap[V]) bool { return m.equal(&other.causal) }

// DeltaSince implements [Digester].
func (m *ORMap[V]) DeltaSince(d *Digest) *ORMap[V] { return &ORMap[V]{m.since(d)} }

// Foldable implements [Folder].
func (m *ORMap[V]) Foldable(replica ReplicaID) bool { return m.foldable(replica) }

// Fold implements [Folder].
func (m *ORMap[V]) Fold(replica ReplicaID) *ORMap[V] { return &ORMap[V]{m.fold(replica)} }

// MarshalBinary implements [State].
func (m *ORMap[V]) MarshalBinary() ([]byte, error) { return m.encode(m.shape()), nil }

// UnmarshalBinary implements [State].
func (m *ORMap[V]) UnmarshalBinary(data []byte) error { return m.decode(data, m.shape()) }

func (m *ORMap[V]) shape() shape {
	var none V
	s := none.shape()
	return shape{kinds: kindORMap + s.kinds, depth: s.depth + 1, runs: s.runs}
}

func (m *ORMap[V]) nest(c causal) *ORMap[V] { return &ORMap[V]{c} }

func (m *ORMap[V]) core() *causal {
	if m == nil {
		return nil
	}
	return &m.causal
}
