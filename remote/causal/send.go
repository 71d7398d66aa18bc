package causal

import (
	"math/bits"

	"github.com/topos-go/topos/actor"
)

// Stamp returns what must go with the next message to node, which is to be sent
// now, or given up. The error is [ErrGroupFull], [ErrBuried], [ErrSelf],
// [ErrNode] or [ErrExhausted]; the message must not be sent with the label then.
func (g *Group[T]) Stamp(node actor.NodeID) (Stamp, error) {
	if err := g.other(node); err != nil {
		return Stamp{}, err
	}
	if g.graves.byNode[node] != nil {
		return Stamp{}, ErrBuried
	}
	to, err := g.join(node)
	switch {
	case err != nil:
		return Stamp{}, err
	case to.buried:
		return Stamp{}, ErrBuried
	case !(to.last + 1).numbers():
		return Stamp{}, ErrExhausted
	}
	s := Stamp{Seq: to.last + 1, Gone: g.lost(to)}
	g.dependencies(to, &s)
	to.last = s.Seq
	g.rows[0].noteSent(to.slot, s.Seq)
	return s, nil
}

// dependencies puts Others, Needs and Done into a stamp for to.
func (g *Group[T]) dependencies(to *member[T], s *Stamp) {
	var done [MaxMembers]uint64 // pairs that to may have and should not
	var named uint64
	needs, dones := 0, 0
	for i, r := range g.rows {
		if r == nil {
			continue
		}
		live := r.live
		if i == 0 {
			live &^= 1 << to.slot // the message before goes without saying
		}
		done[i] = to.told[i] &^ r.live
		needs, dones = needs+bits.OnesCount64(live), dones+bits.OnesCount64(done[i])
		if both := live | done[i]; both != 0 {
			named |= both | 1<<i
		}
	}
	if needs+dones == 0 {
		return
	}
	order := [MaxMembers]*member[T]{sender: g.self(), receiver: to} // by number in the stamp
	count := others
	for rest := named &^ (1 | 1<<to.slot); rest != 0; rest &= rest - 1 {
		order[count] = g.slots[bits.TrailingZeros64(rest)]
		count++
	}
	if count > others {
		s.Others = make([]actor.NodeID, 0, count-others)
	}
	for _, m := range order[others:count] {
		s.Others = append(s.Others, m.id)
	}
	entries := make([]Entry, 0, needs+dones)
	entries = g.entries(entries, order[:count], func(from, d int) (Seq, bool) {
		live := g.rows[from].live&(1<<d) != 0 && (from != 0 || d != to.slot)
		if live {
			to.told[from] |= 1 << d
		}
		return g.rows[from].sent[d], live
	})
	s.Needs = entries[:needs:needs]
	s.Done = g.entries(entries[needs:], order[:count], func(from, d int) (Seq, bool) {
		tell := done[from]&(1<<d) != 0
		if tell {
			to.told[from] &^= 1 << d
		}
		if d == 0 {
			return g.slots[from].passed, tell
		}
		return g.rows[from].done[d], tell
	})
}

// entries appends those of the pairs of nodes for which pick returns true.
func (g *Group[T]) entries(b []Entry, nodes []*member[T], pick func(from, to int) (Seq, bool)) []Entry {
	for i, from := range nodes {
		for j, to := range nodes {
			if i == j {
				continue
			}
			if s, ok := pick(from.slot, to.slot); ok {
				b = append(b, Entry{From: uint8(i), To: uint8(j), Seq: s})
			}
		}
	}
	return b
}

// lost returns what was given up of the messages to m and is not known to be
// passed there.
func (g *Group[T]) lost(m *member[T]) []Span {
	m.lost.trim(g.rows[0].done[m.slot])
	if len(m.lost) == 0 {
		return nil
	}
	return append([]Span(nil), m.lost...)
}

// notify tells m what it need not wait for, and which numbers it need not use
// any more.
func (g *Group[T]) notify(m *member[T]) {
	g.effects = append(g.effects, Notify{To: m.id, Stamp: Stamp{
		Void: true, Seq: m.last, Gone: g.lost(m),
		Done: []Entry{{From: receiver, To: sender, Seq: m.passed}},
	}})
}

// Delivered says that node is known to have delivered the message numbered seq:
// its [Group], not only its transport. What was sent to it up to then need not
// be told to anybody any more. Delivered saves bytes; without it, the next
// message or [Notify] back has the same effect.
func (g *Group[T]) Delivered(node actor.NodeID, seq Seq) {
	if m := g.members[node]; m != nil && m.slot != 0 && seq <= m.last {
		g.rows[0].noteDone(m.slot, seq)
	}
}

// GaveUp says that the message numbered seq to node has not been delivered, as
// far as is known, and is not tried any more. What comes after it does not wait
// for it from now on: the effect is a [Notify], and each later stamp to node
// repeats it until node is known to have passed seq. Of more than 64 separate
// runs of numbers the nearest are joined, which gives up what is between them.
//
// If the message has been received all the same, it is delivered or
// dead-lettered there, never out of order.
func (g *Group[T]) GaveUp(node actor.NodeID, seq Seq) []Effect {
	g.begin()
	m := g.members[node]
	if m == nil || m.slot == 0 || seq > m.last || seq.Epoch() != m.last.Epoch() || !seq.numbers() || seq <= g.rows[0].done[m.slot] {
		return nil
	}
	m.lost.add(Span{seq, seq})
	m.lost.limit(maxSpans)
	g.notify(m)
	return g.effects
}
