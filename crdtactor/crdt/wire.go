package crdt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is the error of UnmarshalBinary and [Decode] for bytes that no
// state of the wanted type encodes to: cut short, too long, of another type,
// or not in the one canonical form. The text says what was wrong.
var ErrMalformed = errors.New("crdt: malformed encoding")

// An encoding begins with one letter for its kind and, for maps, the letters of
// their values. A format that must change takes a new letter, so that old
// nodes refuse what they cannot read instead of misreading it.
const (
	kindContext     = "X"
	kindDigest      = "D"
	kindGCounter    = "G"
	kindPNCounter   = "P"
	kindLWWRegister = "L"
	kindMVRegister  = "V"
	kindGSet        = "E"
	kindORSet       = "S"
	kindEnableFlag  = "F"
	kindMaxMap      = "A"
	kindORMap       = "M"
	kindTally       = "T"
	kindCart        = "C"

	// Put before the kind of a state or digest whose context has whole
	// entries; and counters with whole shares. See [Folder].
	kindFolded          = "W"
	kindFoldedGCounter  = "g"
	kindFoldedPNCounter = "p"
)

// Integers are varints, strings are a length and bytes, lists a length and
// elements in strictly ascending order.

func appendString[T ~string](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// reader takes an encoding apart. Its first error stays, and from then on it
// returns zeros; loops end because counts become 0.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
		r.rest = nil
	}
}

// kinds takes the leading bytes that say what is encoded.
func (r *reader) kinds(want string) {
	if len(r.rest) < len(want) || string(r.rest[:len(want)]) != want {
		r.fail("not of kind %q", want)
		return
	}
	r.rest = r.rest[len(want):]
}

// uvarint takes an unsigned integer in its shortest form.
func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || (n > 1 && r.rest[n-1] == 0) {
		r.fail("bad integer")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// varint takes a signed integer in its shortest form.
func (r *reader) varint() int64 {
	v := r.uvarint()
	n := int64(v >> 1)
	if v&1 != 0 {
		n = ^n
	}
	return n
}

// upTo takes an unsigned integer not above limit.
func (r *reader) upTo(limit uint64) uint64 {
	v := r.uvarint()
	if v > limit {
		r.fail("%d is above %d", v, limit)
		return 0
	}
	return v
}

// count takes the length of a list whose elements need at least size bytes
// each, so that what is claimed can be there.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if most := len(r.rest) / size; n > uint64(most) {
		r.fail("%d elements, room for %d", n, most)
		return 0
	}
	return int(n)
}

// text takes a string.
func (r *reader) text() string {
	n := r.count(1)
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// replica takes a ReplicaID.
func (r *reader) replica() ReplicaID {
	id := ReplicaID(r.text())
	if id == "" {
		r.fail("empty replica id")
	}
	return id
}

// ascending fails unless element i of a list is greater than the one before.
func ascending[T ~string](r *reader, i int, previous, current T) {
	if i > 0 && previous >= current {
		r.fail("list not in order")
	}
}

// end returns the first error, and one when bytes are left over.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		r.fail("%d bytes left over", len(r.rest))
	}
	return r.err
}

// appendSpans writes gaps and widths, so that neither overlap nor disorder can
// be expressed.
func appendSpans(b []byte, s spans) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	free := uint64(1) // the least number the next span may begin with
	for _, p := range s {
		b = binary.AppendUvarint(b, p.first-free)
		b = binary.AppendUvarint(b, p.last-p.first)
		free = p.last + 2
	}
	return b
}

func (r *reader) spans() spans {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	s := make(spans, 0, n)
	free := uint64(1)
	for range n {
		p := r.span(free)
		if r.err != nil {
			return nil
		}
		s = append(s, p)
		free = p.last + 2
	}
	return s
}

// span takes a span that begins at free or later.
func (r *reader) span(free uint64) span {
	if free > maxSeq {
		r.fail("sequence number above the last")
		return span{}
	}
	first := free + r.upTo(maxSeq-free)
	return span{first, first + r.upTo(maxSeq-first)}
}

// appendContext writes the kind, as folded if there are whole entries, and the
// context.
func appendContext(kinds string, c *CausalContext) []byte {
	var b []byte
	if c.wholes > 0 {
		b = append(b, kindFolded...)
	}
	b = append(b, kinds...)
	b = binary.AppendUvarint(b, uint64(len(c.known)))
	for _, k := range c.known {
		b = appendString(b, k.replica)
		b = appendSpans(b, k.seqs)
		if c.wholes > 0 {
			b = binary.AppendUvarint(b, k.fold)
		}
	}
	return b
}

// context takes what appendContext wrote.
func (r *reader) context(kinds string) CausalContext {
	folded := len(r.rest) > 0 && r.rest[0] == kindFolded[0]
	if folded {
		r.rest = r.rest[1:]
	}
	r.kinds(kinds)
	n := r.count(5) // id of one byte and one span
	c := CausalContext{}
	if n > 0 {
		c.known = make([]known, 0, n)
	}
	previous := ReplicaID("")
	for i := range n {
		k := known{replica: r.replica(), seqs: r.spans()}
		ascending(r, i, previous, k.replica)
		if len(k.seqs) == 0 {
			r.fail("replica without dots")
		}
		if folded {
			k.fold = r.upTo(maxSeq)
		}
		if _, _, ok := k.replica.Lineage(); k.fold > 0 {
			if c.wholes++; !ok || !k.seqs.contains(k.fold) {
				r.fail("replica that cannot be whole")
			}
		}
		if r.err != nil {
			return CausalContext{}
		}
		c.known = append(c.known, k)
		previous = k.replica
	}
	if folded && c.wholes == 0 {
		r.fail("nothing is whole")
	}
	return c
}

// settled fails unless the entries that later ones stand for have the living
// dots and no others, nor are whole. Living tells how many live of a replica,
// all of them known to be in the context.
func (r *reader) settled(c *CausalContext, living func(ReplicaID) uint64) {
	if c.wholes == 0 {
		return
	}
	for _, k := range c.known {
		if c.superseded(k.replica) && (k.fold > 0 || k.seqs.size() != living(k.replica)) {
			r.fail("dots of a replica that was folded")
		}
	}
}

// MarshalBinary returns the compact, deterministic encoding of the context.
func (c *CausalContext) MarshalBinary() ([]byte, error) {
	return appendContext(kindContext, c), nil
}

// UnmarshalBinary replaces the context by the encoded one. The error is
// [ErrMalformed] and leaves the context alone.
func (c *CausalContext) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	decoded := r.context(kindContext)
	if err := r.end(); err != nil {
		return err
	}
	*c = decoded
	return nil
}
