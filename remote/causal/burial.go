package causal

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// Obituary says that this node counts node as dead: nothing more that it has sent
// will be handed to Receive, and what waits for such is released, now and later.
// Final says that the incarnation cannot come back: it has left, or a later one
// has taken its place. Otherwise it may, until Config.Forget, by [Group.Met] or
// a message in a new epoch; of a node that nothing has come from, by any message.
//
// All nodes should have the final obituary of a node within Config.MaxWait of
// each other. Of one that may come back nobody else need have it, nor it theirs.
// What this node has sent to the dead and is still on its way should be given up
// by its transport: after [Group.Met] it is too late.
func (g *Group[T]) Obituary(now time.Time, node actor.NodeID, final bool) []Effect {
	g.begin()
	if g.other(node) != nil {
		return nil
	}
	m := g.members[node]
	if m == nil {
		g.graves.dig(node, final, now)
		return nil
	}
	g.bury(m, now, final)
	g.drain()
	g.sweep(now)
	return g.effects
}

// bury waives whatever has not come from m.
func (g *Group[T]) bury(m *member[T], at time.Time, final bool) {
	if !m.buried {
		g.buried++
		m.buried, m.buriedAt = true, at
		g.version++
		m.last, m.lost = max(m.last.over(), makeSeq(min(g.version, maxEpoch), 0)), nil
	}
	m.final = m.final || final
	g.sweepAt = m.buriedAt // now, and then as it finds
	top := m.passed
	for _, h := range g.queue {
		if !h.ended {
			top = max(top, h.awaits(m))
		}
	}
	m.over = max(m.over, top.over())
	m.told[m.slot] |= 1 // where its numbers begin, should it come back
	g.waive(m, Span{m.passed + 1, m.over}, ErrBuried)
}

// revive takes back m's obituary.
func (g *Group[T]) revive(m *member[T]) {
	m.buried = false
	g.buried--
}

// sweep forgets the buried that are due.
func (g *Group[T]) sweep(now time.Time) {
	if g.buried == 0 {
		return
	}
	g.sweepAt = now.Add(g.cfg.Forget)
	for slot, m := range g.slots {
		if m == nil || !m.buried {
			continue
		}
		if m.finished() && m.finishedAt.IsZero() {
			m.finishedAt = now
			g.settle(slot)
		}
		switch due := m.due(&g.cfg); {
		case due.After(now):
			g.sweepAt = earlier(g.sweepAt, due)
		case len(m.held) > 0:
			// Tick will deliver it, in time.
			g.sweepAt = earlier(g.sweepAt, now)
		default:
			g.free(m)
		}
	}
}

// linger is for how long somebody may still have to deliver what one has sent
// who is dead for good: those who have its obituary last hold it that long.
func (c *Config) linger() time.Duration { return 2 * c.MaxWait }

// due returns when a buried member can be forgotten.
func (m *member[T]) due(cfg *Config) time.Time {
	due := m.buriedAt.Add(cfg.Forget)
	if !m.finishedAt.IsZero() {
		due = earlier(due, m.finishedAt.Add(cfg.linger()))
	}
	return due
}

func earlier(t, u time.Time) time.Time {
	if u.Before(t) {
		return u
	}
	return t
}

// settle waits no more for anything to be passed by the member of slot.
func (g *Group[T]) settle(slot int) {
	for _, r := range g.rows {
		if r != nil {
			r.noteDone(slot, r.sent[slot])
		}
	}
}

// free gives m's slot back. The version keeps the numbers of this node's messages
// to the same incarnation, should it ever be met again, above those before.
func (g *Group[T]) free(m *member[T]) {
	m.freed = true
	g.buried--
	g.version++
	delete(g.members, m.id)
	g.slots[m.slot], g.rows[m.slot] = nil, nil
	for i, other := range g.slots {
		if other == nil {
			continue
		}
		g.rows[i].sent[m.slot], g.rows[i].done[m.slot] = 0, 0
		g.rows[i].update(m.slot)
		other.told[m.slot] = 0
		for from := range other.told {
			other.told[from] &^= 1 << m.slot
		}
	}
	at := m.buriedAt
	if !m.finishedAt.IsZero() {
		at = m.finishedAt
	}
	g.graves.dig(m.id, true, at)
}
