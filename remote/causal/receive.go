package causal

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// Receive takes a message that has come from node with its stamp. Size is what
// the item takes in memory while it waits. If the stamp is void there is no
// message, and item is ignored.
func (g *Group[T]) Receive(now time.Time, node actor.NodeID, stamp Stamp, item T, size int) []Effect {
	g.begin()
	from, who, err := g.admit(now, node, &stamp)
	if err != nil {
		if !stamp.Void {
			g.dead(node, stamp.Seq, item, err)
		}
		if from != nil && !from.buried && !stamp.Void && stamp.Seq.numbers() {
			// What follows it must not wait for it.
			g.waive(from, Span{stamp.Seq, stamp.Seq}, err)
			g.drain()
		}
		return g.effects
	}
	g.acknowledge(from, &stamp, who)
	g.waive(from, Span{from.passed + 1, makeSeq(stamp.Seq.Epoch(), 0)}, ErrRenewed)
	for _, v := range stamp.Gone {
		g.waive(from, v, ErrGivenUp)
	}
	g.drain()
	if !stamp.Void {
		g.accept(&held[T]{
			from: from, stamp: stamp, who: who, item: item, arrived: now,
			size: max(size, 0) + stamp.memory() + len(who)*8,
		})
		g.drain()
	} else if stamp.Seq.Epoch() < from.passed.Epoch() {
		g.notify(from) // before it uses such a number
	}
	for g.waiting > g.cfg.MaxHeld || g.bytes > g.cfg.MaxBytes {
		g.force(g.oldest(), ErrOverload)
	}
	return g.effects
}

func (g *Group[T]) dead(node actor.NodeID, seq Seq, item T, reason error) {
	g.effects = append(g.effects, Dead[T]{From: node, Seq: seq, Item: item, Reason: reason})
}

// admit finds the nodes that a stamp names, who become members if they must. With
// an error, from is set if what it sends next has to know that this message is
// dead.
func (g *Group[T]) admit(now time.Time, node actor.NodeID, s *Stamp) (from *member[T], who []*member[T], err error) {
	if err := g.other(node); err != nil {
		return nil, nil, err
	}
	valid := s.valid()
	for _, id := range s.Others {
		if id == g.cfg.Self || id == node {
			valid = ErrMalformed
		}
	}
	if valid != nil {
		return g.members[node], nil, valid
	}
	if err = g.graves.exhume(&g.cfg, now, node); err != nil {
		return nil, nil, err
	}
	if from, err = g.join(node); err != nil {
		return nil, nil, err
	}
	if from.buried {
		if from.finished() || s.Seq <= from.over {
			return nil, nil, ErrBuried
		}
		g.revive(from)
	}
	if len(s.Needs)+len(s.Done) == 0 {
		return from, nil, nil
	}
	who = make([]*member[T], others+len(s.Others))
	who[sender], who[receiver] = from, g.self()
	var needed uint64 // by number in the stamp
	for _, e := range s.Needs {
		needed |= 1<<e.From | 1<<e.To
	}
	for i, id := range s.Others {
		number := others + i
		who[number] = g.members[id]
		if who[number] == nil && needed&(1<<number) != 0 {
			if who[number], err = g.mentioned(now, id); err != nil {
				return from, nil, err
			}
		}
	}
	return from, who, nil
}

// mentioned takes in a node that a stamp tells of, nil if it is long dead.
func (g *Group[T]) mentioned(now time.Time, id actor.NodeID) (*member[T], error) {
	grave := g.graves.byNode[id]
	if grave == nil {
		m, err := g.join(id)
		if err == nil {
			g.effects = append(g.effects, Heard{Node: id})
		}
		return m, err
	}
	if grave.old(now, &g.cfg) {
		return nil, nil
	}
	// It may still have sent to others what comes before this message.
	slot := g.vacancy()
	if slot == 0 {
		return nil, nil
	}
	g.graves.remove(id)
	m := g.take(slot, id)
	g.bury(m, grave.at, grave.final)
	if grave.final {
		m.finishedAt = grave.at
	}
	return m, nil
}

// acknowledge takes in what a stamp says is done. That is so whatever was before
// it.
func (g *Group[T]) acknowledge(from *member[T], s *Stamp, who []*member[T]) {
	for _, e := range s.Done {
		a, d, seq := who[e.From], who[e.To], e.Seq
		if a == nil || d == nil || a.freed || d.freed || d.slot == 0 {
			continue
		}
		if a.slot == 0 {
			if d == from && seq > d.last {
				// It has passed numbers that were never used, in an obituary, or
				// believing another: nothing with such a number would be taken.
				d.last, d.lost = seq, nil
			}
			seq = min(seq, d.last)
		}
		r := g.rows[a.slot]
		r.noteDone(d.slot, seq)
		if r.live&(1<<d.slot) == 0 {
			from.told[a.slot] &^= 1 << d.slot
		}
	}
}

// accept delivers h, or puts it among what is held, unless it can be seen that
// it will never be delivered.
func (g *Group[T]) accept(h *held[T]) {
	from, seq := h.from, h.stamp.Seq
	at, have := from.find(seq)
	switch _, late := from.skipped.at(seq); {
	case seq <= from.passed && late:
		from.skipped.remove(seq)
		from.skipped.limit(maxSpans)
		g.dead(from.id, seq, h.item, ErrLate)
		g.notify(from)
		return
	case seq <= from.passed || have:
		g.dead(from.id, seq, h.item, ErrDuplicate)
		return
	}
	if g.ready(h) {
		g.deliver(h)
		return
	}
	from.held = append(from.held, nil)
	copy(from.held[at+1:], from.held[at:])
	from.held[at] = h
	g.queue = append(g.queue, h)
	g.waiting++
	g.bytes += h.size
	for _, e := range h.stamp.Needs {
		if m := h.who[e.From]; e.To == receiver && m != nil && m.buried {
			g.waive(m, Span{m.passed + 1, e.Seq}, ErrBuried)
		}
	}
}
