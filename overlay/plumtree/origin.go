package plumtree

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// origin is what is remembered of one incarnation of a node that has broadcast.
type origin struct {
	node overlay.Node
	seen seen
	kept []*kept    // what is retained of it, in the order of numbers
	want []*missing // what was announced and has not come, in the order of numbers
	tree *tree      // its own, with Config.PerOrigin
	// last is when its newest known message was broadcast. It is never later
	// than that message came, so that it does not grow by being passed on.
	last  time.Time
	doom  *doom  // of what is missing; nil if it is waited for
	begin uint64 // the first number that was delivered; 0 if none was
}

// doom is the end of waiting for what is missing of an origin.
type doom struct {
	at      time.Time
	upTo    uint64  // which numbers are given up then
	excused []*peer // have said that these are gone, and are not asked for them again
}

func (c *Core) findOrigin(node overlay.Node) (int, bool) {
	return slices.BinarySearchFunc(c.origins, node, func(o *origin, n overlay.Node) int { return o.node.Compare(n) })
}

// origin returns what is remembered of node, or nil. Most that comes is of few.
func (c *Core) origin(node overlay.Node) *origin {
	for _, o := range c.recent {
		if o != nil && o.node == node {
			return o
		}
	}
	o := c.known(node)
	if o != nil {
		copy(c.recent[1:], c.recent[:])
		c.recent[0] = o
	}
	return o
}

// known is origin, but does not note what was looked for.
func (c *Core) known(node overlay.Node) *origin {
	if i, ok := c.findOrigin(node); ok {
		return c.origins[i]
	}
	return nil
}

// meet returns the record of node, which is begun if there is none; or nil, if
// there is no room. last is when node last broadcast something.
func (c *Core) meet(now time.Time, node overlay.Node, last time.Time) *origin {
	if o := c.origin(node); o != nil {
		return o
	}
	if len(c.origins) >= c.cfg.MaxOrigins && !c.makeRoom(now) {
		return nil
	}
	i, _ := c.findOrigin(node)
	o := &origin{node: node, last: last}
	if c.cfg.PerOrigin && c.trees < c.cfg.MaxTrees {
		o.tree = &tree{}
		c.trees++
	}
	c.origins = slices.Insert(c.origins, i, o)
	return o
}

// makeRoom forgets the origin that has been silent longest, if nothing can come
// of it any more that was delivered already.
func (c *Core) makeRoom(now time.Time) bool {
	oldest := -1
	for i, o := range c.origins {
		if o.node != c.cfg.Self && (oldest < 0 || o.last.Before(c.origins[oldest].last)) {
			oldest = i
		}
	}
	if oldest < 0 || now.Sub(c.origins[oldest].last) < 2*c.cfg.Retain {
		return false
	}
	c.forget(c.origins[oldest])
	c.origins = slices.Delete(c.origins, oldest, oldest+1)
	return true
}

// sweep gives up what is doomed, takes trees from those that are silent, and
// forgets those that are silent for long, or have been started again since.
func (c *Core) sweep(now time.Time) {
	kept := c.origins[:0]
	for i, o := range c.origins {
		silent := now.Sub(o.last)
		restarted := i+1 < len(c.origins) && c.origins[i+1].node.Name == o.node.Name
		if o.node != c.cfg.Self && (silent >= c.cfg.Forget || restarted && silent >= 2*c.cfg.Retain) {
			c.giveUp(o, max(o.seen.top(), o.doomed()), ErrLost)
			c.forget(o)
			continue
		}
		if o.tree != nil && silent >= 2*c.cfg.Retain {
			o.tree = nil
			c.trees--
		}
		if o.doom != nil && !now.Before(o.doom.at) {
			reason := ErrLost
			if o.doom.excused != nil {
				reason = ErrGone
			}
			c.giveUp(o, o.doom.upTo, reason)
			c.settle(now, o)
		}
		kept = append(kept, o)
	}
	clear(c.origins[len(kept):])
	c.origins = kept
}

// forget takes o's messages out of where they are listed.
func (c *Core) forget(o *origin) {
	for len(o.kept) > 0 {
		c.evict(o.kept[0])
	}
	for len(o.want) > 0 {
		c.cancel(o.want[0])
	}
	if o.tree != nil {
		c.trees--
	}
	if c.leader == o {
		c.leader = nil
	}
	if i := slices.Index(c.recent[:], o); i >= 0 {
		c.recent[i] = nil
	}
}

// giveUp settles everything up to n, and reports what was missing.
func (c *Core) giveUp(o *origin, n uint64, reason error) {
	for _, v := range o.seen.raise(n) {
		if o.begin == 0 || v.Last < o.begin {
			c.missed(o.node, v, ErrBefore)
		} else {
			c.missed(o.node, v, reason)
		}
	}
	for len(o.want) > 0 && o.seen.has(o.want[0].seq) {
		c.cancel(o.want[0])
	}
}

func (c *Core) missed(node overlay.Node, v Span, reason error) {
	c.stats.Missed += v.Last - v.First + 1
	c.emit(Missed{Origin: node, First: v.First, Last: v.Last, Reason: reason})
}

// settle dooms the holes of o that are not doomed yet, and takes back what has
// nothing to doom. Too many holes are given up at once, from below.
func (c *Core) settle(now time.Time, o *origin) {
	for len(o.seen.above) > c.cfg.MaxHoles {
		c.giveUp(o, o.seen.above[0].First-1, ErrOverflow)
	}
	if o.doomed() <= o.seen.low {
		o.doom = nil
	}
	if top := o.seen.top(); o.doom == nil && top > o.seen.low {
		o.doom = &doom{at: now.Add(c.cfg.hopeless()), upTo: top}
	}
}

// doomed returns up to which number what is missing will be given up; 0 if nothing will.
func (o *origin) doomed() uint64 {
	if o.doom == nil {
		return 0
	}
	return o.doom.upTo
}
