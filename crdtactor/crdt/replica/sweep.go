package replica

import (
	"github.com/topos-go/topos/crdtactor/crdt"
)

// sweeping is how far this replica has come in letting go of what states keep on
// behalf of lost replicas. The zero sweeping is not begun.
type sweeping struct {
	losses uint64 // for which walk goes on; 0 if it is not begun
	walk   walk
	done   bool            // it has come to the end
	late   map[string]bool // keys that have changed since it began
	queue  []string        // the same, those first that have waited longest
}

// add notes that the state under key has changed.
func (s *sweeping) add(key string) {
	if s.late != nil && !s.late[key] {
		s.late[key] = true
		s.queue = append(s.queue, key)
	}
}

// sweep lets go of what the states keep on behalf of lost replicas: see
// [Core.Forget]. One node does, as in closeBooks; another one that does it later
// begins anew.
func (c *Core[S]) sweep() {
	s := &c.sweeping
	if !c.sweeps || c.losses == 1 || !c.leads() {
		*s = sweeping{}
		return
	}
	if s.losses != c.losses {
		c.sums() // so that all keys are in the tree
		*s = sweeping{losses: c.losses, late: make(map[string]bool)}
	}
	if s.done && len(s.late) == 0 || c.Busy() || !c.ask(c.heardAsOfNow) {
		return
	}
	if !s.done {
		s.done = c.walkOn(&s.walk, c.sweepOne)
	}
	n := min(c.cfg.AtOnce, len(s.queue))
	keys := s.queue[:n:n]
	s.queue = s.queue[n:]
	for _, key := range keys {
		delete(s.late, key)
		if e := c.find(key); e != nil {
			c.sweepOne(e)
		}
	}
}

// heardAsOfNow reports whether a node has been heard out when it knew all that is
// lost.
func (c *Core[S]) heardAsOfNow(h *holding) bool { return h.heard == c.losses }

// sweepOne sweeps one state.
func (c *Core[S]) sweepOne(e *entry[S]) {
	delta := any(e.state).(crdt.Sweeper[S]).Sweep(func(lineage string, start uint64) bool {
		return start < c.roster[lineage].Lost
	})
	if !isZero(delta) {
		late := c.sweeping.late
		c.sweeping.late = nil // what changes it is this
		c.changed(e, delta, "")
		c.sweeping.late = late
	}
}
