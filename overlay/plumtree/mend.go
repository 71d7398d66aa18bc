package plumtree

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// mend makes up for p, which is a neighbor no more: each tree that went over it has
// fallen into parts, of which this node's is one: two, if only a link was cut, and
// otherwise as many as p had neighbors in it.
func (c *Core) mend(now time.Time, p *peer, n int) {
	if !c.shared.isLazy(p.slot) {
		c.mendTree(now, &c.shared, overlay.Node{}, n, nil)
	}
	for _, o := range c.origins {
		if o.tree != nil && !o.tree.isLazy(p.slot) {
			c.mendTree(now, o.tree, o.node, n, nil)
		}
	}
}

// mendTree makes n lazy neighbors eager, on both sides. Some of them are of another part
// than this node, as nobody knows; the next message prunes those that are not. A node
// without any lets others of its own part do so, unless one of them, by, has asked it to.
// What has come to another part since it was cut off is asked for at once, whoever has it.
func (c *Core) mendTree(now time.Time, t *tree, of overlay.Node, n int, by *peer) {
	if n <= 0 {
		return
	}
	lazy, eager := c.sorts(t, by)
	for _, p := range c.some(n, lazy) {
		t.makeEager(p.slot)
		c.tellNow(now, p)
		c.graftTree(p, Graft{ID: ID{Origin: of}})
	}
	if len(lazy) == 0 && by == nil && !c.mendedLately(now, t) {
		for _, p := range c.some(n, eager) {
			c.graftTree(p, Graft{ID: ID{Origin: of}, Once: true})
		}
	}
	t.mended = now
	for _, m := range slices.Clone(c.timers) {
		if m.asked == nil && c.treeOf(m.from) == t {
			c.graft(now, m)
		}
	}
}

// returnTo mends the tree of o, which is about to broadcast, if this node has fallen out of
// it: it has neighbors, and all are lazy. Messages of two origins may each prune the link
// that the other has left it.
func (c *Core) returnTo(now time.Time, o *origin) {
	t, of := c.treeOf(o), overlay.Node{}
	if o.tree != nil {
		of = o.node
	}
	if lazy, eager := c.sorts(t, nil); len(eager) == 0 && len(lazy) > 0 {
		c.mendTree(now, t, of, c.cfg.Mend, nil)
	}
}

// mendedLately bounds how often a node mends with others, or for them: once for each tree,
// in the time in which a message would do so.
func (c *Core) mendedLately(now time.Time, t *tree) bool { return now.Sub(t.mended) < c.cfg.settled() }

func (c *Core) graftTree(p *peer, m Graft) {
	c.stats.GraftSent++
	c.send(p, m)
}

// sorts returns the neighbors that are lazy in t, and those that are not, without one.
func (c *Core) sorts(t *tree, but *peer) (lazy, eager []*peer) {
	for _, p := range c.peers {
		switch {
		case t.isLazy(p.slot):
			lazy = append(lazy, p)
		case p != but:
			eager = append(eager, p)
		}
	}
	return lazy, eager
}

// some returns n of peers, at random.
func (c *Core) some(n int, peers []*peer) []*peer {
	for len(peers) > n {
		i := c.cfg.Rand.IntN(len(peers))
		peers = slices.Delete(peers, i, i+1)
	}
	return peers
}

// tellNow tells p what would be announced to it, and notes that what p announces from
// now on is not on its way here: the tree has broken between the two, for all that is
// known. That ends when the link is pruned. A new neighbor, which may well have taken the
// place of one that was lost, is told of what is new.
func (c *Core) tellNow(now time.Time, p *peer) {
	if now.Sub(p.since) < c.cfg.settled() {
		p.announce = nil
		for i := len(c.cache); i > 0 && len(p.announce) < c.cfg.MaxIHave && now.Sub(c.cache[i-1].born) < c.cfg.settled(); i-- {
			p.announce = append(p.announce, c.cache[i-1])
		}
	}
	if p.announce != nil {
		c.flush(p)
	}
	p.hasty = now.Add(c.cfg.settled())
}

// graftedAll: p wants to be pushed what comes from now on. If it mends the shared tree, it
// is told what would be announced later, and asked for what it has announced. If p has
// only said that a tree is broken, this node mends it.
func (c *Core) graftedAll(now time.Time, p *peer, m Graft) {
	t := c.treeOf(c.origin(m.ID.Origin))
	if m.Once {
		if !c.mendedLately(now, t) {
			c.mendTree(now, t, m.ID.Origin, c.cfg.Mend, p)
		}
		return
	}
	if t.makeEager(p.slot); !m.ID.Origin.IsZero() {
		return // it may have found a shorter path only
	}
	c.tellNow(now, p)
	for _, m := range slices.Clone(c.timers) {
		if m.asked == nil && slices.ContainsFunc(m.who, func(a announcer) bool { return a.peer == p }) {
			c.graft(now, m)
		}
	}
}

// relax makes p lazy in t.
func (c *Core) relax(t *tree, p *peer) {
	t.makeLazy(p.slot)
	p.hasty = time.Time{}
}
