package causal

import (
	"fmt"
	"unsafe"

	"github.com/topos-go/topos/actor"
)

const (
	// sender and receiver are the places of the two nodes of a message, which
	// its stamp does not name; the others follow.
	sender, receiver, others = 0, 1, 2

	// maxEntries is the number of ordered pairs of different members.
	maxEntries = MaxMembers * (MaxMembers - 1)
	// maxSpans bounds the runs of given up numbers that are told, or kept.
	maxSpans = 64
	// maxName bounds each of the two texts of a node's identity.
	maxName = 255
)

// Stamp is what goes with a message, so that its receiver knows what must be
// delivered before it. It is self-contained: to understand one, no other is
// needed. A Stamp is not changed once made and may be shared.
type Stamp struct {
	// Void says that there is no message: the stamp only carries Gone and Done.
	Void bool
	// Seq is the message's number between its two nodes; if Void, the last one
	// used in the epoch, its count 0 if none is.
	Seq Seq
	// Gone are earlier numbers between the two that were given up: whatever of
	// them has not come need not be waited for. They are of Seq's epoch.
	Gone []Span
	// Others are the nodes that entries name, besides the message's sender,
	// which is number 0 there, and its receiver, which is 1: these are 2 and on.
	Others []actor.NodeID
	// Needs are the sends that happened before this one and are not known to be
	// delivered; those to the receiver must be delivered there first. What the
	// same sender has sent to it before goes without saying, and is not there.
	// They are in order of From and To.
	Needs []Entry
	// Done tells what the receiver may still have among its Needs, and need
	// not any more. In the same order.
	Done []Entry
}

// Entry names, of the messages from From to To, the one numbered Seq and all
// before it.
type Entry struct {
	From, To uint8
	Seq      Seq
}

// valid reports what keeps s from being a stamp.
func (s *Stamp) valid() error {
	if !s.Void && !s.Seq.numbers() || s.Seq > makeSeq(maxEpoch, 0) {
		return fmt.Errorf("%w: number %v", ErrMalformed, s.Seq)
	}
	if len(s.Gone) > maxSpans || len(s.Others) > MaxMembers-others {
		return fmt.Errorf("%w: %d spans, %d nodes", ErrMalformed, len(s.Gone), len(s.Others))
	}
	last := makeSeq(s.Seq.Epoch(), 0)
	for _, v := range s.Gone {
		if v.First <= last || v.Last < v.First || v.Last > s.Seq || v.Last == s.Seq && !s.Void {
			return fmt.Errorf("%w: span from %v to %v", ErrMalformed, v.First, v.Last)
		}
		last = v.Last
	}
	for i, id := range s.Others {
		if id.IsZero() || !sayable(id) {
			return fmt.Errorf("%w: node %v", ErrMalformed, id)
		}
		for _, other := range s.Others[:i] {
			if id == other {
				return fmt.Errorf("%w: node %v twice", ErrMalformed, id)
			}
		}
	}
	if err := s.validEntries(s.Needs, true); err != nil {
		return err
	}
	return s.validEntries(s.Done, false)
}

func (s *Stamp) validEntries(entries []Entry, messages bool) error {
	last := -1
	for _, e := range entries {
		place := int(e.From)<<8 | int(e.To)
		if place <= last || int(max(e.From, e.To)) >= others+len(s.Others) || e.From == e.To ||
			e.Seq > makeSeq(maxEpoch, 0) || messages && (!e.Seq.numbers() || e.To == sender || place == receiver) {
			return fmt.Errorf("%w: entry %d>%d %v", ErrMalformed, e.From, e.To, e.Seq)
		}
		last = place
	}
	return nil
}

// sayable reports whether id fits into a stamp.
func sayable(id actor.NodeID) bool {
	return len(id.Name) <= maxName && len(id.Incarnation.Unique) <= maxName
}

// memory returns about how many bytes s takes while it is held.
func (s *Stamp) memory() int {
	n := int(unsafe.Sizeof(*s)) + len(s.Gone)*int(unsafe.Sizeof(Span{})) + (len(s.Needs)+len(s.Done))*int(unsafe.Sizeof(Entry{}))
	for _, id := range s.Others {
		n += int(unsafe.Sizeof(id)) + len(id.Name) + len(id.Incarnation.Unique)
	}
	return n
}
