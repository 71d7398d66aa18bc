package crdt

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"
	"strings"
)

// CausalContext is the set of all dots a state has ever heard of, living or
// dead. It is what lets a state without tombstones tell "new to me" from
// "removed here": a dot that is in the context but not in the state is dead.
//
// It is a version vector and a dot cloud in one: for each replica the sorted
// spans of sequence numbers seen. Deltas that arrive out of order leave gaps
// and so more spans; once the gaps are filled the whole context is one span a
// replica, however many events there were.
//
// A context claims exactly the dots that were put into it and never those
// below them: hearing of a:7 does not mean knowing a:1 to a:6. A delta that
// claimed more would kill adds that are still under way.
//
// The zero CausalContext is empty and ready to use. It must not be copied
// after first use and is safe for concurrent use by readers only.
//
// It is the causal context of Almeida, Shoker and Baquero, "Delta state
// replicated data types" (2018).
type CausalContext struct {
	known  []known // sorted by replica; no entry without spans
	wholes int     // entries that are whole
}

// known is the dots of one replica. If the entry is whole, the context has every
// dot of the earlier replicas of its lineage as well: see [Folder]. Of those it
// lists only the ones that are alive in its state.
type known struct {
	replica ReplicaID
	seqs    spans
	fold    uint64 // the dot, among seqs, that made the entry whole; 0 if it is not
}

func (c *CausalContext) find(replica ReplicaID) (int, bool) {
	i := sort.Search(len(c.known), func(i int) bool { return c.known[i].replica >= replica })
	return i, i < len(c.known) && c.known[i].replica == replica
}

// seqs returns the sequence numbers seen of replica. The caller must not
// change them.
func (c *CausalContext) seqs(replica ReplicaID) spans {
	if i, ok := c.find(replica); ok {
		return c.known[i].seqs
	}
	return nil
}

// entry returns the sequence numbers of replica for the caller to add to at
// once; the pointer is good until the context changes.
func (c *CausalContext) entry(replica ReplicaID) *spans {
	i, ok := c.find(replica)
	if !ok {
		c.known = slices.Insert(c.known, i, known{replica: replica})
	}
	return &c.known[i].seqs
}

// Contains reports whether the context has heard of d.
func (c *CausalContext) Contains(d Dot) bool {
	return c.seqs(d.Replica).contains(d.Seq) || c.superseded(d.Replica)
}

// Last returns the greatest sequence number heard of from replica, 0 when
// there is none.
func (c *CausalContext) Last(replica ReplicaID) uint64 { return c.seqs(replica).last() }

// Add puts d into the context and reports whether it is new. A dot whose
// sequence number is out of range names nothing and is never added. It panics
// on an empty ReplicaID.
func (c *CausalContext) Add(d Dot) bool {
	d.Replica.mustBeNamed()
	return d.Seq > 0 && d.Seq <= maxSeq && c.entry(d.Replica).add(d.Seq, d.Seq)
}

// Next returns the next dot of replica and puts it into the context. Only the
// replica itself may ask. The dot comes after everything ever heard of from
// the replica, gaps included. It panics on an empty ReplicaID, and
// when the sequence numbers are used up: no replica gets there by counting, and
// one whose state was damaged that far must start again under a new id.
func (c *CausalContext) Next(replica ReplicaID) Dot {
	replica.mustBeNamed()
	seqs := c.entry(replica)
	next := seqs.last() + 1
	if next > maxSeq {
		panic("crdt: sequence numbers of " + string(replica) + " used up")
	}
	seqs.add(next, next)
	return Dot{Replica: replica, Seq: next}
}

// Join adds every dot of other and reports whether any is new. It keeps no
// reference to other. A nil other is empty.
func (c *CausalContext) Join(other *CausalContext) bool {
	if other == nil {
		return false
	}
	changed := false
	for _, k := range other.known {
		if c.wholes > 0 && c.superseded(k.replica) {
			continue
		}
		if c.entry(k.replica).join(k.seqs) {
			changed = true
		}
		c.mark(k.replica, k.fold)
	}
	return changed
}

// minus returns the dots that are in c and not in other.
func (c *CausalContext) minus(other *CausalContext) CausalContext {
	var left CausalContext
	for _, k := range c.known {
		if other.superseded(k.replica) {
			continue
		}
		if seqs := k.seqs.minus(other.seqs(k.replica)); len(seqs) > 0 {
			left.known = append(left.known, known{replica: k.replica, seqs: seqs})
			if seqs.contains(k.fold) {
				left.mark(k.replica, k.fold)
			}
		}
	}
	return left
}

// Len returns the number of dots in the context, at most math.MaxUint64, which
// it also is if the context has all of some replica; see [Folder].
func (c *CausalContext) Len() uint64 {
	if c.wholes > 0 {
		return math.MaxUint64
	}
	var n uint64
	for _, k := range c.known {
		size := k.seqs.size()
		if n += size; n < size {
			return math.MaxUint64
		}
	}
	return n
}

// All yields every dot, sorted, except those that were folded; see [Folder].
// There may be very many: the cost is that of events, not of replicas.
func (c *CausalContext) All() iter.Seq[Dot] {
	return func(yield func(Dot) bool) {
		for _, k := range c.known {
			for _, p := range k.seqs {
				for seq := p.first; seq <= p.last; seq++ {
					if !yield(Dot{k.replica, seq}) {
						return
					}
				}
			}
		}
	}
}

// Clone returns a context that shares nothing with c.
func (c *CausalContext) Clone() *CausalContext {
	return &CausalContext{known: c.copyKnown(), wholes: c.wholes}
}

func (c *CausalContext) copyKnown() []known {
	if len(c.known) == 0 {
		return nil
	}
	list := make([]known, len(c.known))
	for i, k := range c.known {
		list[i] = known{k.replica, slices.Clone(k.seqs), k.fold}
	}
	return list
}

// Equal reports whether both contexts hold the same dots.
func (c *CausalContext) Equal(other *CausalContext) bool {
	return slices.EqualFunc(c.known, other.known, func(a, b known) bool {
		return a.replica == b.replica && a.fold == b.fold && slices.Equal(a.seqs, b.seqs)
	})
}

// IsZero reports whether the context holds no dot.
func (c *CausalContext) IsZero() bool { return len(c.known) == 0 }

// String returns the context for people to read, as in "{a:1-7,9 b:1-3}".
func (c *CausalContext) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range c.known {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(k.replica))
		for j, p := range k.seqs {
			b.WriteByte(":,"[min(j, 1)])
			if p.first == p.last {
				fmt.Fprint(&b, p.first)
			} else {
				fmt.Fprintf(&b, "%d-%d", p.first, p.last)
			}
		}
	}
	b.WriteByte('}')
	return b.String()
}

// valid returns an error when an invariant of the context is broken.
func (c *CausalContext) valid() error {
	wholes := 0
	for i, k := range c.known {
		if _, _, ok := k.replica.Lineage(); k.fold > 0 {
			if wholes++; !ok || !k.seqs.contains(k.fold) {
				return fmt.Errorf("%s cannot be whole", k.replica)
			}
		}
		if k.replica == "" || len(k.seqs) == 0 {
			return fmt.Errorf("entry %d is empty", i)
		}
		if i > 0 && c.known[i-1].replica >= k.replica {
			return fmt.Errorf("entry %d is out of order", i)
		}
		for j, p := range k.seqs {
			if p.first == 0 || p.first > p.last || p.last > maxSeq {
				return fmt.Errorf("%s: span %d-%d", k.replica, p.first, p.last)
			}
			if j > 0 && k.seqs[j-1].last >= p.first-1 {
				return fmt.Errorf("%s: spans %d and %d touch", k.replica, j-1, j)
			}
		}
	}
	if wholes != c.wholes {
		return fmt.Errorf("%d entries are whole, %d are said to be", wholes, c.wholes)
	}
	return nil
}
