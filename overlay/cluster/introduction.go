package cluster

import (
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// Many may join at a time, and were each to let all know of itself, the news would be the
// square of them. So in a large cluster a newcomer, once it knows the others, says so to a
// collector, as who has found out a death does.

// introducing is how long a collector waits for more introductions: a newcomer is of no use
// to others until they know of it.
const introducing = 200 * time.Millisecond

// introduces reports whether b is the first that this node lets others know of itself, and
// somebody else is to do so: where many are, many may come at a time, and a broadcast of each
// would be the square of them.
func (c *Core) introduces(b directory.Broadcast) bool {
	if c.spoken || len(b.Facts) != 1 || b.Facts[0].Node != c.cfg.Self || b.Facts[0].Status != directory.Alive {
		return false
	}
	c.spoken = true
	return c.collected() && !c.collects()
}

// isIntroduction reports whether f, which from has sent, is of a node that all are to know.
func (c *Core) isIntroduction(from overlay.Node, f directory.Fact) bool {
	return f.Status == directory.Alive && f.Number == 0 && f.Node.Name != c.cfg.Self.Name && c.collected() &&
		(from == f.Node || c.up[from])
}

// introduce takes the introduction of a node, to be broadcast with others'.
func (c *Core) introduce(f directory.Fact) {
	c.believe(directory.Broadcast{Facts: []directory.Fact{f}})
	if known, ok := c.dir.Lookup(f.Node.Name); ok && known.Node == f.Node && !known.Status.Dead() && c.hushed.of(f.Node) < 0 {
		due := c.now
		if c.collects() {
			due = due.Add(min(introducing, c.hush()/gathering))
		}
		c.hushed.wait(known, due)
	}
}
