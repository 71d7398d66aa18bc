package replica

import (
	"github.com/topos-go/topos/crdtactor/crdt"
)

// books is how far this replica has come in closing those of lost replicas.
type books struct {
	losses uint64 // when every node had been heard out; 0 if that is not so
	seq    uint64 // of the log, at that time
}

// closeBooks settles what lost replicas have left, if that is safe and this
// node is the one to do it: see [Core.Forget]. One does, so that not everybody
// asks everybody; if two do, no harm is done.
func (c *Core[S]) closeBooks() {
	if c.unsettled == 0 || !c.leads() {
		c.books = books{}
		return
	}
	if !c.ask(func(h *holding) bool { return h.heard == c.losses }) {
		return
	}
	if c.books.losses != c.losses {
		if c.loseLater() {
			return // of which everybody must hear
		}
		// What comes after a number that the log does not have is acknowledged
		// by those only who have compared whole states.
		c.log.skip()
		c.books = books{losses: c.losses, seq: c.log.seq}
	}
	if !c.ask(func(h *holding) bool { return h.acked >= c.books.seq }) {
		return
	}
	for _, m := range c.Roster() {
		if m.Lost > m.Settled {
			m.Settled = m.Lost
			c.record(m)
		}
	}
	c.books = books{}
	c.settle("")
}

// leads reports whether no other member with a lower name is there to close the
// books.
func (c *Core[S]) leads() bool {
	for _, node := range c.members {
		if node < c.cfg.Node && c.holds[node] != nil && !c.roster[node].forgotten() {
			return false
		}
	}
	return true
}

// loseLater makes lost what later replicas of forgotten nodes have left than
// those were known to have had, and reports whether there was any.
func (c *Core[S]) loseLater() bool {
	losses := c.losses
	for _, e := range c.entries {
		s, ok := any(e.state).(crdt.Settler[S])
		if !ok {
			return false
		}
		for lineage, start := range s.Lives() {
			if m := c.roster[lineage]; m.Version > 0 && m.forgotten() && start >= m.Next {
				m.Next = start + 1
				m.Lost = max(m.Lost, m.Next)
				c.record(m)
			}
		}
	}
	return c.losses != losses
}

// isSettled reports whether the share of a replica is in the past.
func (c *Core[S]) isSettled(lineage string, start uint64) bool {
	return start < c.roster[lineage].Settled
}

// settle moves what has been settled into the past, but drops what earlier
// replicas of the node own have left; "" is no node.
func (c *Core[S]) settle(own string) {
	for _, key := range c.Keys() {
		e := c.find(key)
		s, ok := any(e.state).(crdt.Settler[S])
		if !ok {
			return
		}
		if own != "" && s.Strip(func(lineage string, start uint64) bool { return lineage == own && c.isSettled(lineage, start) }) {
			c.touch(e)
			c.note(e)
		}
		if delta := s.Settle(c.isSettled); !isZero(delta) {
			c.touch(e)
			if c.cfg.Durable {
				c.saving.add(key, delta)
			}
		}
	}
	for _, w := range c.writes {
		if w.direct {
			any(w.delta).(crdt.Settler[S]).Settle(c.isSettled)
			w.item.Data = nil
		}
	}
}

// strip drops from a state what is in the past here.
func (c *Core[S]) strip(state S) bool {
	if c.settled == 0 {
		return false
	}
	s, ok := any(state).(crdt.Settler[S])
	return ok && s.Strip(c.isSettled)
}

// comparable reports whether node, whose states have settled in them what has
// that sum, has settled what is settled here: only then may they be joined. If
// not, it is sent the roster, and answers with its own if that says more.
func (c *Core[S]) comparable(node string, settled uint64) bool {
	if settled == c.settled {
		return true
	}
	c.brief(node)
	return false
}
