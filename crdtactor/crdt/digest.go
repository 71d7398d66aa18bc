package crdt

import (
	"encoding/binary"
	"slices"
	"sort"
)

// Digest says what a replica knows without saying what it is: the causal
// context, and which of its dots are alive and in which version. A context
// alone would not do: it cannot tell a replica that has removed something from
// one that has not heard of the removal.
//
// Its size is a few bytes for each replica and each run of neighbouring living
// dots; keys and values are not in it. Equal digests mean equal states, so two
// replicas that compare a hash of their encoded digests need to exchange
// nothing else while they agree.
//
// A Digest is never changed once made. The zero Digest is that of a zero state.
type Digest struct {
	seen  CausalContext
	alive []marks // sorted by replica, then by first; all of them seen
}

// marks is a run of living dots of one replica, all in the same version.
// Neighbouring runs have different versions, so that each set of living dots
// has one representation.
type marks struct {
	replica ReplicaID
	span
	adds, gone uint64 // see run; 0 for dots that have no versions
}

// context returns the context of a digest that may be nil.
func (d *Digest) context() *CausalContext {
	if d == nil {
		return new(CausalContext)
	}
	return &d.seen
}

// Last returns the greatest sequence number known of replica, 0 if there is
// none. A replica that joins with a fresh [ReplicaID] must find 0 everywhere.
func (d *Digest) Last(replica ReplicaID) uint64 { return d.context().Last(replica) }

// Equal reports whether both digests are of equal states.
func (d *Digest) Equal(other *Digest) bool {
	return d.seen.Equal(&other.seen) && slices.Equal(d.alive, other.alive)
}

// mark adds a living dot; dots must come sorted.
func (d *Digest) mark(dot Dot, adds, gone uint64) {
	if n := len(d.alive); n > 0 {
		m := &d.alive[n-1]
		if m.replica == dot.Replica && m.last == dot.Seq-1 && m.adds == adds && m.gone == gone {
			m.last = dot.Seq
			return
		}
	}
	d.alive = append(d.alive, marks{dot.Replica, span{dot.Seq, dot.Seq}, adds, gone})
}

// lookup returns the run dot belongs to, or false if dot is not alive.
func (d *Digest) lookup(dot Dot) (marks, bool) {
	if d == nil {
		return marks{}, false
	}
	i := sort.Search(len(d.alive), func(i int) bool {
		return dot.Compare(Dot{d.alive[i].replica, d.alive[i].last}) <= 0
	})
	if i < len(d.alive) && d.alive[i].replica == dot.Replica && d.alive[i].first <= dot.Seq {
		return d.alive[i], true
	}
	return marks{}, false
}

// living returns the living dots as a context.
func (d *Digest) living() CausalContext {
	var living CausalContext
	if d == nil {
		return living
	}
	for _, m := range d.alive {
		living.entry(m.replica).add(m.first, m.last)
	}
	return living
}

// MarshalBinary returns the compact, deterministic encoding of the digest.
func (d *Digest) MarshalBinary() ([]byte, error) {
	b := appendContext(kindDigest, &d.seen)
	rest := d.alive
	for _, k := range d.seen.known {
		n := 0
		for n < len(rest) && rest[n].replica == k.replica {
			n++
		}
		b = binary.AppendUvarint(b, uint64(n))
		free := uint64(1)
		for _, m := range rest[:n] {
			b = binary.AppendUvarint(b, m.first-free)
			b = binary.AppendUvarint(b, m.last-m.first)
			b = binary.AppendUvarint(b, m.adds)
			b = binary.AppendUvarint(b, m.gone)
			free = m.last + 1
		}
		rest = rest[n:]
	}
	return b, nil
}

// UnmarshalBinary replaces the digest by the encoded one. The error is
// [ErrMalformed] and leaves the digest alone.
func (d *Digest) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	decoded := Digest{seen: r.context(kindDigest)}
	for _, k := range decoded.seen.known {
		decoded.alive = append(decoded.alive, r.marks(k)...)
	}
	r.settled(&decoded.seen, func(replica ReplicaID) (n uint64) {
		for _, m := range decoded.alive {
			if m.replica == replica {
				n += m.last - m.first + 1
			}
		}
		return n
	})
	if err := r.end(); err != nil {
		return err
	}
	*d = decoded
	return nil
}

// marks takes the living dots of one replica.
func (r *reader) marks(k known) []marks {
	n := r.count(4)
	list := make([]marks, 0, n)
	free := uint64(1)
	for i := range n {
		m := marks{replica: k.replica, span: r.span(free), adds: r.upTo(maxSeq)}
		m.gone = r.upTo(m.adds)
		if i > 0 && m.first == free && m.adds == list[i-1].adds && m.gone == list[i-1].gone {
			r.fail("runs that are one")
		}
		if r.err == nil && len((spans{m.span}).minus(k.seqs)) > 0 {
			r.fail("living dot that nobody has seen")
		}
		if r.err != nil {
			return nil
		}
		list = append(list, m)
		free = m.last + 1
	}
	return list
}
