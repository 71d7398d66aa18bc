package directory

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// doubt is that of the death of a node at a number.
type doubt struct {
	node   overlay.Node
	number uint64
	until  time.Time
	// overheard is set if somebody else had all hear of it.
	overheard bool
}

// doubted reports whether d has not been settled meanwhile.
func (c *Core) doubted(d doubt) bool {
	e := c.table.find(d.node.Name)
	if e.none() || !e.up || e.node != d.node {
		return false
	}
	status, number := unstamp(e.stamp)
	return status.Dead() && number == d.number
}

// tellers is how many of those that have overheard of a death are to tell the dead of
// it, besides who had them hear. Each may have missed the refutation, so in a small
// cluster all do; a thousand would be more than a node can answer at once.
const tellers = 64

// tells reports whether this node is one of them.
func (c *Core) tells(d doubt) bool {
	return !d.overheard || c.Len() <= tellers || c.cfg.Rand.IntN(c.Len()) < tellers
}

// settleDoubts: who has not refuted by now is dead. After half the time those who
// have not are told directly, by some, as either broadcast may have been lost.
func (c *Core) settleDoubts() {
	for c.asked < len(c.doubts) && !c.now.Before(c.doubts[c.asked].until.Add(-c.cfg.Doubt/2)) {
		if d := c.doubts[c.asked]; c.doubted(d) && d.node != c.cfg.Self && c.tells(d) {
			c.emit(Send{d.node, Tell{[]Fact{c.told(c.table.find(d.node.Name))}}})
		}
		c.asked++
	}
	for len(c.doubts) > 0 && !c.now.Before(c.doubts[0].until) {
		if d := c.doubts[0]; c.doubted(d) {
			c.down(c.table.find(d.node.Name))
		}
		c.doubts = c.doubts[1:]
		c.asked--
	}
	if len(c.doubts) == 0 {
		c.doubts = nil
	}
}

// doubtsDue is when settleDoubts has something to do, zero if never.
func (c *Core) doubtsDue() time.Time {
	switch {
	case c.asked < len(c.doubts):
		half := c.doubts[c.asked].until.Add(-c.cfg.Doubt / 2)
		if c.asked == 0 || half.Before(c.doubts[0].until) {
			return half
		}
		return c.doubts[0].until
	case len(c.doubts) > 0:
		return c.doubts[0].until
	}
	return time.Time{}
}
