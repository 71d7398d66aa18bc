package crdt

import "encoding"

// State is a replicated state or a delta of one; the two have the same type.
// S is the implementing type itself, as in State[*Cart]. Every type of this
// package but [CausalContext] and [Digest] is a State.
//
// States form a join-semilattice: Join is commutative, associative and
// idempotent, so deltas may be lost, doubled, reordered and merged with one
// another, and replicas that have heard of the same updates are equal.
//
// A State belongs to one goroutine at a time; several may read it while nobody
// changes it. Being joined from, cloned, compared, encoded and digested is
// reading.
type State[S any] interface {
	// Join merges another state or delta into the receiver and reports whether
	// that changed it: if so there is something to pass on to others. It keeps
	// no reference to its argument; nil changes nothing.
	Join(S) bool
	// Clone returns a copy that shares nothing with the receiver.
	Clone() S
	// Equal reports whether both know exactly the same.
	Equal(S) bool
	// MarshalBinary returns the encoding: compact, and the same for equal
	// states. Its error is always nil.
	encoding.BinaryMarshaler
	// UnmarshalBinary replaces the receiver by the state in data, which it does
	// not keep. It accepts only what MarshalBinary writes, byte by byte; for
	// everything else it returns an error that is [ErrMalformed] and leaves the
	// receiver alone. Memory taken is proportional to len(data).
	encoding.BinaryUnmarshaler
}

// Digester is a [State] that can say in few bytes what it knows, so that
// anti-entropy need not send whole states about. For all replicas a and b of
// one state, whatever deltas they have missed,
//
//	a.Join(b.DeltaSince(a.Digest()))
//
// leaves a exactly as a.Join(b) would, and reports the same. [LWWRegister],
// [GSet] and [MaxMap] are no Digesters: send those whole.
type Digester[S any] interface {
	// Digest returns a summary of what the receiver knows; it shares nothing
	// with the receiver.
	Digest() *Digest
	// DeltaSince returns a delta with everything the receiver knows and the
	// replica that made the digest does not. The delta is a state like any
	// other: it may be joined by third replicas too. A nil digest is one of the
	// zero state.
	DeltaSince(*Digest) S
}

// Compactor is a [State] that keeps something on behalf of a replica until
// that replica has seen it; see [Tally].
type Compactor[S any] interface {
	// Compact drops what was kept for replica and returns the delta that makes
	// the others drop it too. It is cheap when there is nothing to drop.
	//
	// The replica itself may call it at any time, say after each Join. For
	// another, departed replica it is sound only once every copy of that
	// replica's updates has been joined here, partitioned members' copies
	// included; updates found later are lost.
	Compact(replica ReplicaID) S
}

// Decode returns the state encoded in data:
//
//	cart, err := crdt.Decode[crdt.Cart](data)
//
// The error is [ErrMalformed].
func Decode[T any, S interface {
	*T
	State[S]
}](data []byte) (S, error) {
	s := S(new(T))
	if err := s.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return s, nil
}
