package replica

import "github.com/topos-go/topos/crdtactor/crdt"

// books is how far this replica has come in closing those of lost replicas.
type books struct {
	losses uint64 // when every node had been heard out; 0 if that is not so
	seq    uint64 // of the log, at that time
}

// closeBooks settles what lost replicas have left, if that is safe and this
// node is the one to do it: see [Core.Forget]. One does, so that not everybody
// asks everybody; if two do, no harm is done.
func (c *Core[S]) closeBooks() {
	if c.Busy() {
		return
	}
	if c.unsettled == 0 || !c.leads() {
		c.books = books{}
		return
	}
	if !c.ask(c.heardAsOfNow) {
		return
	}
	if c.books.losses != c.losses {
		if c.loseLater() {
			return // of which everybody must hear
		}
		// What comes after a number that the log does not have is acknowledged
		// by those only who have compared whole states.
		c.log.skip()
		c.books.losses, c.books.seq = c.losses, c.log.seq
	}
	if !c.ask(func(h *holding) bool { return h.acked >= c.books.seq }) {
		return
	}
	fresh := make(map[string]uint64)
	for node, m := range c.roster {
		if m.Lost > m.Settled {
			m.Settled = m.Lost
			fresh[node] = m.Settled
			c.record(m)
		}
	}
	c.books = books{}
	c.settle(fresh, "")
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
// those were known to have had, and reports whether there was any. It is for the
// time when all have been heard out: what comes afterwards might have folded what
// is then settled.
func (c *Core[S]) loseLater() bool {
	losses := c.losses
	for node, m := range c.roster {
		if n := c.met[node]; m.forgotten() && n > m.Next {
			m.Next = n
			m.Lost = max(m.Lost, n)
			c.record(m)
		}
	}
	return c.losses != losses
}

// settles reports whether states can be settled at all.
func (c *Core[S]) settles() bool {
	_, ok := any(c.cfg.New()).(crdt.Settler[S])
	return ok
}

// boundsOf returns a function that does what a look into m does. Settling calls
// it for each entry of all states: few nodes are faster to compare than to hash.
func boundsOf(m map[string]uint64) func(node string) (uint64, bool) {
	const few = 4
	if len(m) > few {
		return func(node string) (uint64, bool) { n, ok := m[node]; return n, ok }
	}
	type bound struct {
		node string
		n    uint64
	}
	var list []bound
	for node, n := range m {
		list = append(list, bound{node, n})
	}
	return func(node string) (uint64, bool) {
		for i := range list {
			if list[i].node == node {
				return list[i].n, true
			}
		}
		return 0, false
	}
}

// arrives notes that a replica has a share in what has come, and reports whether
// that share is in the past here.
func (c *Core[S]) arrives(lineage string, start uint64) bool {
	if start >= c.met[lineage] && start <= maxStart {
		c.met[lineage] = start + 1
	}
	return c.settled != 0 && start < c.roster[lineage].Settled
}

// settle moves into the past what has become settled: of each node in fresh the
// replicas before a start. It drops what earlier replicas of the node own have
// left; "" is no node. See moves for when.
func (c *Core[S]) settle(fresh map[string]uint64, own string) {
	if len(fresh) == 0 || !c.settles() {
		return
	}
	for node, n := range fresh {
		if c.met[node] <= n {
			delete(c.met, node)
		}
	}
	m := move{own: own, dropped: fresh[own], bound: boundsOf(fresh)}
	for _, w := range c.writes {
		if w.direct {
			any(w.delta).(crdt.Settler[S]).Settle(m.settled)
			w.item.Data = nil
		}
	}
	c.sums() // so that all keys are in the tree
	c.last = nil
	c.moves.begin(m)
	c.Work()
}

// strip drops from a state that has come what is in the past here.
func (c *Core[S]) strip(state S) bool {
	s, ok := any(state).(crdt.Settler[S])
	return ok && s.Strip(c.look)
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
