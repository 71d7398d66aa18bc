package causal

import (
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// member is one incarnation in a node's view of a label.
type member[T any] struct {
	id   actor.NodeID
	slot int

	// What it sends to this node.
	passed  Seq        // everything up to here is delivered, or never will be
	gone    spans      // above passed: not to be waited for, but taken if held
	skipped spans      // up to passed: never delivered
	held    []*held[T] // above passed, in order

	// What this node sends to it.
	last Seq   // the last number used
	lost spans // given up, and not known to be passed there

	// told has a bit for each pair of members, a word for each sender, that the
	// member may have among the live and should be told when it is done.
	told [MaxMembers]uint64

	buried     bool      // an obituary has come, and nothing since
	final      bool      // it cannot come back
	superseded bool      // a later incarnation of its name has been met
	buriedAt   time.Time // when the obituary came
	finishedAt time.Time // when it was seen that it will not come back
	over       Seq       // the first number it can come back with is after this
	freed      bool      // its slot is another's
}

// row is what this node knows of the messages that one member has sent.
//
// sent[d] is the last one to d that happened before now, done[d] the last one
// that d is known to have passed. The pair is live, a dependency to be told to
// others, while sent[d] > done[d]; live has a bit for each. The column of this
// node itself is not used: passed says it all.
type row struct {
	sent, done [MaxMembers]Seq
	live       uint64
}

func (r *row) noteSent(d int, s Seq) {
	r.sent[d] = max(r.sent[d], s)
	r.update(d)
}

func (r *row) noteDone(d int, s Seq) {
	r.done[d] = max(r.done[d], s)
	r.update(d)
}

func (r *row) update(d int) {
	if r.sent[d] > r.done[d] {
		r.live |= 1 << d
	} else {
		r.live &^= 1 << d
	}
}

// finished reports whether m is dead for good: it will send nothing more, and
// nobody anything to it, so that what was sent to it is of no interest.
func (m *member[T]) finished() bool { return m.buried && (m.final || m.superseded) }

// find returns where s is, or would be, among what is held of m.
func (m *member[T]) find(s Seq) (int, bool) {
	return slices.BinarySearchFunc(m.held, s, func(h *held[T], s Seq) int {
		switch {
		case h.stamp.Seq < s:
			return -1
		case h.stamp.Seq > s:
			return 1
		}
		return 0
	})
}

// advance passes what is gone, up to what is held, and reports whether that was
// anything.
func (m *member[T]) advance() bool {
	moved := false
	if v, ok := m.gone.at(m.passed + 1); ok {
		to := v.Last
		if len(m.held) > 0 {
			to = min(to, m.held[0].stamp.Seq-1)
		}
		if to > m.passed {
			m.skipped.add(Span{m.passed + 1, to})
			m.skipped.limit(maxSpans)
			m.passed, moved = to, true
		}
	}
	m.gone.trim(m.passed)
	return moved
}
