package crdt

import "iter"

// MVRegister holds a string, or several: values that were set at several
// replicas at once are all kept, for the reader to choose from or to merge. A
// Set replaces every value it has seen.
//
// It keeps one dot for each of these concurrent sets. The zero MVRegister has
// no value and is ready to use; it must not be copied after first use. See
// [State] for concurrency and ownership, and [Digester] for anti-entropy.
//
// It is the multi-value register of Almeida et al. (2018).
type MVRegister struct {
	causal
}

// Set replaces all values seen by value, on behalf of replica, and returns the
// delta.
func (r *MVRegister) Set(replica ReplicaID, value string) (delta *MVRegister) {
	replica.mustBeNamed()
	delta = r.Clear()
	r.open()
	r.replace(r.root.kid(value), replica, &delta.causal, delta.root.kid(value))
	return delta
}

// Clear removes all values seen and returns the delta.
func (r *MVRegister) Clear() (delta *MVRegister) {
	delta = &MVRegister{fresh()}
	if r.book != nil {
		r.clear(r.root, "", &delta.causal, delta.root)
	}
	return delta
}

// Value returns the value; it is "" and false if there is none, and if there
// are several.
func (r *MVRegister) Value() (string, bool) {
	if values := r.tree().names(); len(values) == 1 {
		return values[0], true
	}
	return "", false
}

// Len returns the number of different values: 0 if none is set, 1 if nobody
// disagrees.
func (r *MVRegister) Len() int { return len(r.tree().kids) }

// All yields the values, sorted.
func (r *MVRegister) All() iter.Seq[string] { return sorted(r.tree().names) }

// Join implements [State].
func (r *MVRegister) Join(other *MVRegister) bool { return other != nil && r.join(&other.causal) }

// Clone implements [State].
func (r *MVRegister) Clone() *MVRegister { return &MVRegister{r.clone()} }

// Equal implements [State].
func (r *MVRegister) Equal(other *MVRegister) bool { return r.equal(&other.causal) }

// DeltaSince implements [Digester].
func (r *MVRegister) DeltaSince(d *Digest) *MVRegister { return &MVRegister{r.since(d)} }

// Foldable implements [Folder].
func (r *MVRegister) Foldable(replica ReplicaID) bool { return r.foldable(replica) }

// Fold implements [Folder].
func (r *MVRegister) Fold(replica ReplicaID) *MVRegister { return &MVRegister{r.fold(replica)} }

// MarshalBinary implements [State].
func (r *MVRegister) MarshalBinary() ([]byte, error) { return r.encode(r.shape()), nil }

// UnmarshalBinary implements [State].
func (r *MVRegister) UnmarshalBinary(data []byte) error { return r.decode(data, r.shape()) }

func (*MVRegister) shape() shape              { return shape{kinds: kindMVRegister, depth: 1} }
func (*MVRegister) nest(c causal) *MVRegister { return &MVRegister{c} }

func (r *MVRegister) core() *causal {
	if r == nil {
		return nil
	}
	return &r.causal
}
