package causal

import "slices"

// waive lets nobody wait any more for what of v has not come from m, and reports
// it if somebody did.
func (g *Group[T]) waive(m *member[T], v Span, cause error) {
	v.First = max(v.First, m.passed+1)
	if v.First > v.Last {
		return
	}
	if g.waiting > 0 {
		g.report(m, v, cause)
	}
	m.gone.add(v)
	m.gone.limit(2 * maxSpans)
	if m.advance() {
		g.moved = true
	}
}

func (g *Group[T]) report(m *member[T], v Span, cause error) {
	waiting, last := 0, Seq(0)
	for _, h := range g.queue {
		if h.ended {
			continue
		}
		need := h.awaits(m)
		if need < v.First || cause == ErrRenewed && need > v.Last {
			// Who waits for something of the new epoch misses nothing that is
			// known to have been in the old one.
			continue
		}
		waiting++
		last = max(last, min(need, v.Last))
	}
	if waiting == 0 {
		return
	}
	var known spans // what is held is not missing, nor reported twice
	for _, h := range m.held {
		known.add(Span{h.stamp.Seq, h.stamp.Seq})
	}
	for _, gone := range m.gone {
		known.add(gone)
	}
	if missing := known.without(Span{v.First, last}); len(missing) > 0 {
		g.effects = append(g.effects, Released{From: m.id, Missing: missing, Waiting: waiting, Cause: cause})
	}
}

// force delivers first, and before it everything held that it waits for, without
// what is missing.
func (g *Group[T]) force(first *held[T], cause error) {
	first.forced = true
	for work := []*held[T]{first}; len(work) > 0; {
		h := work[0]
		work = work[1:]
		for _, m := range g.slots {
			if m == nil {
				continue
			}
			need := h.awaits(m)
			if need == 0 {
				continue
			}
			g.waive(m, Span{m.passed + 1, need}, cause)
			for _, before := range m.held {
				if before.stamp.Seq <= need && !before.forced {
					before.forced = true
					work = append(work, before)
				}
			}
		}
	}
	g.drain()
	for !first.ended {
		g.drop(g.knot(first), ErrCycle)
		g.drain()
	}
}

// knot returns a held message that waits for itself, by way of others: why h is
// not delivered though nothing is missing.
func (g *Group[T]) knot(h *held[T]) *held[T] {
	for seen := map[*held[T]]bool{}; !seen[h]; {
		seen[h] = true
		for _, m := range g.slots {
			if m != nil && len(m.held) > 0 && m.held[0] != h && m.held[0].stamp.Seq <= h.awaits(m) {
				h = m.held[0]
				break
			}
		}
	}
	return h
}

// drop ends h without delivering it.
func (g *Group[T]) drop(h *held[T], reason error) {
	at, _ := h.from.find(h.stamp.Seq)
	h.from.held = slices.Delete(h.from.held, at, at+1)
	g.end(h)
	g.dead(h.from.id, h.stamp.Seq, h.item, reason)
	g.waive(h.from, Span{h.stamp.Seq, h.stamp.Seq}, reason)
}
