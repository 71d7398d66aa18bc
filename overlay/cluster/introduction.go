package cluster

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// Many may join at a time, and were each to let all know of itself, the news would be the
// square of them. So in a large cluster a newcomer, once it knows the others, says so to a
// collector, as who has found out a death does.

const (
	// introducing is how long a collector waits for more introductions: a newcomer is of no
	// use to others until they know of it.
	introducing = 200 * time.Millisecond
	// reintroducing is after how long, or half more, a newcomer that has not heard of itself
	// asks another collector.
	reintroducing = 2 * time.Second
)

// leavesToCollectors reports whether b is the first that this node lets others know of
// itself, which it can be once, and somebody else is to broadcast it.
func (c *Core) leavesToCollectors(b directory.Broadcast) bool {
	own := func(f directory.Fact) bool { return f.Node == c.cfg.Self && f.Status == directory.Alive }
	if c.spoken || !slices.ContainsFunc(b.Facts, own) {
		return false
	}
	c.spoken = true
	alone := len(b.Facts) == 1 && b.Facts[0].Number == 0 && len(b.Values) == 0 && !b.Hearsay
	return alone && c.collected() && !c.collects()
}

// isIntroduction reports whether f, which from has sent, is of a node that all are to know.
// Whoever sends it may count one member more than this node.
func (c *Core) isIntroduction(from overlay.Node, f directory.Fact) bool {
	return f.Status == directory.Alive && f.Number == 0 && f.Node.Name != c.cfg.Self.Name && (from == f.Node || c.isUp(from))
}

// introduce takes the introduction of a node, to be broadcast with others': its own word, or
// what is news from somebody else.
func (c *Core) introduce(from overlay.Node, f directory.Fact) {
	before, _ := c.dir.Lookup(f.Node.Name)
	c.believe(directory.Broadcast{Facts: []directory.Fact{f}})
	known, _ := c.dir.Lookup(f.Node.Name)
	if known.Node != f.Node || known.Status.Dead() || c.hushed.of(f.Node) >= 0 || from != f.Node && before.Node == f.Node {
		return
	}
	due := c.now
	if c.collects() {
		due = due.Add(min(introducing, c.hush()/gathering))
	}
	c.hushed.wait(known, due)
	if c.hushed.count(isNews) >= maxHushed && c.collects() {
		c.release(isNews)
	}
}
