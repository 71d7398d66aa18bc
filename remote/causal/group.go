package causal

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// Group is one label on one node: it stamps what is sent, and holds what has
// arrived until what was sent before it has been delivered. [New] makes one; the
// zero Group is not usable.
//
// A Group is used by one goroutine at a time. Effects are to be carried out in
// order before the next call; the slice is valid until then.
//
// Invariants, which valid checks:
//
//  1. Of each member, the numbers up to passed are delivered or skipped, each
//     once; those held are above it, in order.
//  2. A bit in live is set if and only if sent > done, never in this node's
//     column, and only for members.
//  3. Nothing that is held could be delivered.
//  4. At most MaxHeld messages and MaxBytes bytes are held.
//  5. Slot 0 is this node; a member has one slot, and no grave.
//  6. What is remembered is bounded: spans, graves, and what is to be told.
type Group[T any] struct {
	cfg     Config
	slots   [MaxMembers]*member[T]
	rows    [MaxMembers]*row
	members map[actor.NodeID]*member[T]
	graves  graves
	// version counts the changes of the view after which numbers begin anew.
	version uint64

	queue   []*held[T] // in order of arrival; the ended are dropped in time
	waiting int        // of queue, those not ended
	bytes   int        // that they take
	moved   bool       // something was passed since it was last looked what is ready

	buried  int       // members that are
	sweepAt time.Time // if buried > 0: when one of them may be forgotten

	effects []Effect
}

// New returns a label's state on cfg.Self, which knows no other node. The error
// has all that is wrong with cfg.
func New[T any](cfg Config) (*Group[T], error) {
	cfg.setDefaults()
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	g := &Group[T]{cfg: cfg, members: make(map[actor.NodeID]*member[T])}
	g.graves.byNode = make(map[actor.NodeID]*grave)
	g.take(0, cfg.Self)
	return g, nil
}

func (g *Group[T]) self() *member[T] { return g.slots[0] }

// begin forgets the effects of the call before.
func (g *Group[T]) begin() {
	clear(g.effects) // so that what was delivered can be collected
	g.effects = g.effects[:0]
}

// other reports what keeps node from being another node.
func (g *Group[T]) other(node actor.NodeID) error {
	switch {
	case node == g.cfg.Self:
		return ErrSelf
	case node.IsZero() || !sayable(node):
		return ErrNode
	}
	return nil
}

// take gives id a slot. Its numbers begin above those of any member before that
// was forgotten and may have been the same.
func (g *Group[T]) take(slot int, id actor.NodeID) *member[T] {
	m := &member[T]{id: id, slot: slot, last: makeSeq(min(g.version, maxEpoch), 0)}
	for _, other := range g.slots {
		if other == nil || other.id.Name != id.Name {
			continue
		}
		if id.Incarnation.Newer(other.id.Incarnation) {
			other.superseded = true
			if other.buried {
				g.sweepAt = other.buriedAt // now
			}
		} else {
			m.superseded = true
		}
	}
	g.slots[slot], g.rows[slot], g.members[id] = m, new(row), m
	return m
}

// vacancy returns a slot that is free, or becomes it: rather than have no place
// for the living, the group forgets a dead one before its time. It returns 0 if
// there is none.
func (g *Group[T]) vacancy() int {
	var first *member[T]
	for slot, m := range g.slots {
		if m == nil {
			return slot
		}
		if m.finished() && g.rows[slot].live == 0 && len(m.held) == 0 && (first == nil || m.buriedAt.Before(first.buriedAt)) {
			first = m
		}
	}
	if first == nil {
		return 0
	}
	g.free(first)
	return first.slot
}

// join returns the member that id is, or now becomes: ErrGroupFull if there is
// no slot.
func (g *Group[T]) join(id actor.NodeID) (*member[T], error) {
	if m := g.members[id]; m != nil {
		return m, nil
	}
	slot := g.vacancy()
	if slot == 0 {
		return nil, ErrGroupFull
	}
	return g.take(slot, id), nil
}

// Met says that this node and node are in contact again after node's obituary,
// which is taken back: messages can be sent to it. The effect is a [Notify] that
// tells node where the numbers of both begin now. Of a node that has had no
// obituary Met says nothing new.
//
// The error is [ErrBuried] if the obituary was final or longer than
// Config.Forget ago, [ErrSelf] or [ErrNode].
func (g *Group[T]) Met(now time.Time, node actor.NodeID) ([]Effect, error) {
	g.begin()
	if err := g.other(node); err != nil {
		return nil, err
	}
	m := g.members[node]
	switch {
	case m == nil:
		return nil, g.graves.exhume(&g.cfg, now, node)
	case !m.buried:
		return nil, nil
	case m.finished():
		return nil, ErrBuried
	}
	g.revive(m)
	g.notify(m)
	return g.effects, nil
}

// Deadline returns when [Group.Tick] is due; the zero time if never.
func (g *Group[T]) Deadline() time.Time {
	var due time.Time
	if h := g.oldest(); h != nil {
		due = h.arrived.Add(g.cfg.MaxWait)
	}
	if g.buried > 0 && (due.IsZero() || g.sweepAt.Before(due)) {
		due = g.sweepAt
	}
	return due
}

// Tick does what is due at now: it releases what has waited for Config.MaxWait,
// and forgets the long dead.
func (g *Group[T]) Tick(now time.Time) []Effect {
	g.begin()
	for h := g.oldest(); h != nil && !h.arrived.Add(g.cfg.MaxWait).After(now); h = g.oldest() {
		g.force(h, ErrTimeout)
	}
	g.sweep(now)
	return g.effects
}
