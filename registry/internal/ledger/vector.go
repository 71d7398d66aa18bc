package ledger

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/topos-go/topos/actor"
)

// Standing says how far a part has come where it is whole: how many changes it has
// had, and its sum. Mark is the owner's.
type Standing struct {
	_        struct{} `cbor:",toarray"`
	Mark     uint64
	Seq, Sum uint64
}

// markOf tells one node's part from others' in few bytes.
func markOf(node actor.NodeID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(node.String())) // it never fails
	return mix(h.Sum64())
}

// Vector is how far the own part and all that are whole have come, by mark.
func (l *Ledger[V]) Vector() []Standing {
	v := []Standing{{Mark: l.mark, Seq: l.seq, Sum: l.own.total}}
	for mark, r := range l.byMark {
		if r.whole() {
			v = append(v, Standing{Mark: mark, Seq: r.seq, Sum: r.total})
		}
	}
	slices.SortFunc(v, func(a, b Standing) int { return cmp.Compare(a.Mark, b.Mark) })
	return v
}

// Digest is a sum of the Vector: who has the same has the same, as good as surely.
func (l *Ledger[V]) Digest() uint64 {
	d := digest(l.mark, l.seq, l.own.total)
	for mark, r := range l.byMark {
		if r.whole() {
			d += digest(mark, r.seq, r.total)
		}
	}
	return d
}

func digest(mark, seq, sum uint64) uint64 { return mix(mark ^ mix(seq^mix(sum))) }

// Wanting reports whether something is known to be missing here that nobody is
// being asked for.
func (l *Ledger[V]) Wanting() bool {
	for _, r := range l.others {
		if r.up && !r.pull.on && (!r.whole() || r.missed || len(r.held) > 0) {
			return true
		}
	}
	return false
}

// Compare takes in how far parts have come on node from, and begins to ask it for
// those that are further there. It returns those that are further here, if from can
// be given them.
func (l *Ledger[V]) Compare(from actor.NodeID, theirs []Standing) (changes []Change[V], ahead []Standing) {
	pulls := 0
	for _, r := range l.others {
		if r.up && r.pull.on && r.pull.from == from {
			pulls++
		}
	}
	there := make(map[uint64]uint64, len(theirs))
	for _, s := range theirs {
		there[s.Mark] = s.Seq
		r := l.byMark[s.Mark]
		switch {
		case r == nil || !r.up || r.pull.on || s.Seq < r.reached():
		case s.Seq > r.seq && s.Sum == 0:
			// Of an empty part there is nothing to ask.
			changes = l.drain(r, append(changes, r.empty(s.Seq)...))
		case r.whole() && s.Seq == r.seq && s.Sum != r.total:
			l.begin(r, r.node.Value()) // which cannot be: only the owner knows
		case r.whole() && s.Seq == r.seq:
		case pulls < maxPulls:
			pulls++
			l.begin(r, from)
		}
	}
	for _, s := range l.Vector() {
		if seq, ok := there[s.Mark]; !ok || seq < s.Seq {
			ahead = append(ahead, s)
		}
	}
	return changes, ahead
}

// Complete is of how many other nodes everything is known that they had written
// when it was asked for.
func (l *Ledger[V]) Complete() (n int) {
	for _, r := range l.others {
		if r.up && r.synced {
			n++
		}
	}
	return n
}
