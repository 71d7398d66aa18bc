package causal

import (
	"slices"
	"time"
)

// held is a message that waits.
type held[T any] struct {
	from    *member[T]
	stamp   Stamp
	who     []*member[T] // by the numbers that the stamp uses; nil if of no interest
	item    T
	size    int
	arrived time.Time
	ended   bool // delivered or dropped
	forced  bool // what it waits for has been waived
}

// awaits returns up to which number h needs what m has sent, if m has not
// passed that.
func (h *held[T]) awaits(m *member[T]) Seq {
	need := Seq(0)
	if h.from == m {
		need = h.stamp.Seq - 1
	}
	for _, e := range h.stamp.Needs {
		if e.To == receiver && h.who[e.From] == m {
			need = max(need, e.Seq)
		}
	}
	if need <= m.passed {
		return 0
	}
	return need
}

// ready reports whether everything that h waits for has been passed.
func (g *Group[T]) ready(h *held[T]) bool {
	if h.from.passed+1 != h.stamp.Seq {
		return false
	}
	for _, e := range h.stamp.Needs {
		if e.To != receiver {
			continue
		}
		if m := h.who[e.From]; m != nil && m.passed < e.Seq {
			return false
		}
	}
	return true
}

// drain delivers whatever can be, in order of arrival where there is a choice.
func (g *Group[T]) drain() {
	for g.moved && g.waiting > 0 {
		h := g.next()
		if h == nil {
			break
		}
		h.from.held = slices.Delete(h.from.held, 0, 1)
		g.end(h)
		g.deliver(h)
	}
	g.moved = false
}

// next returns the first to have arrived of those that are ready.
func (g *Group[T]) next() *held[T] {
	for _, h := range g.queue {
		if !h.ended && g.ready(h) {
			return h
		}
	}
	return nil
}

// end takes h out of the account of what is held.
func (g *Group[T]) end(h *held[T]) {
	h.ended = true
	g.waiting--
	g.bytes -= h.size
	if g.waiting == 0 {
		g.queue = nil
	} else if len(g.queue) > 32 && len(g.queue) > 2*g.waiting {
		g.queue = slices.DeleteFunc(g.queue, func(q *held[T]) bool { return q.ended })
	}
}

// oldest returns what has been held the longest, nil if nothing is.
func (g *Group[T]) oldest() *held[T] {
	for _, h := range g.queue {
		if !h.ended {
			return h
		}
	}
	return nil
}

// deliver makes h's past this node's, and hands it over.
func (g *Group[T]) deliver(h *held[T]) {
	from := h.from
	from.passed = h.stamp.Seq
	from.advance()
	g.moved = true
	from.told[from.slot] |= 1 // it has this very message among its live ones
	for _, e := range h.stamp.Needs {
		a, d := h.who[e.From], h.who[e.To]
		if a == nil || d == nil || a.freed || d.freed {
			continue
		}
		from.told[a.slot] |= 1 << d.slot
		// What this node has sent it knows best itself.
		if a.slot != 0 && d.slot != 0 && !d.finished() {
			g.rows[a.slot].noteSent(d.slot, e.Seq)
		}
	}
	g.effects = append(g.effects, Deliver[T]{From: from.id, Seq: h.stamp.Seq, Item: h.item})
}
