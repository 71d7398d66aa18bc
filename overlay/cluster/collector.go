package cluster

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// In a large cluster many may crash at a time, each found by some others, so that all
// members would have hundreds of broadcasts to pass on when they have most to do. There,
// who has found out says so to one of a few collectors, who broadcast what has come in a
// while together. If what it has said is not broadcast, it asks another one, and in the
// end broadcasts it itself.

const (
	// collecting is from how many members on obituaries and introductions are collected.
	collecting = 256
	// collectors is how many collect, as some may be among the dead.
	collectors = 3
	// gathering is the part of Config.Hush that a collector waits for more.
	gathering = 2
)

// collected reports whether the cluster is large enough.
func (c *Core) collected() bool { return c.cfg.Hush >= 0 && c.others()+1 >= collecting }

// collectors returns the lowest members: all agree on them, but for those of whose death
// not all know. Left out is who could not be reached while there was something to say.
func (c *Core) collectors() []overlay.Node {
	if c.lowest != nil {
		return c.lowest
	}
	lowest := []overlay.Node{c.cfg.Self}
	for n := range c.dir.All() {
		if n == c.cfg.Self || c.shunned[n] {
			continue
		}
		if len(lowest) < collectors || n.Compare(lowest[len(lowest)-1]) < 0 {
			i, _ := slices.BinarySearchFunc(lowest, n, overlay.Node.Compare)
			lowest = slices.Insert(lowest, i, n)
			lowest = lowest[:min(len(lowest), collectors)]
		}
	}
	c.lowest = lowest
	return lowest
}

// besides forgets who the lowest members are, if they are others with node.
func (c *Core) besides(node overlay.Node) {
	if n := len(c.lowest); n < collectors || node.Compare(c.lowest[n-1]) < 0 {
		c.lowest = nil
	}
}

// without forgets them if node was one.
func (c *Core) without(node overlay.Node) {
	if slices.Contains(c.lowest, node) {
		c.lowest = nil
	}
}

// collects reports whether this node is a collector.
func (c *Core) collects() bool { return slices.Contains(c.collectors(), c.cfg.Self) }

// gather returns when what has been found out now is to be said.
func (c *Core) gather() time.Time {
	if !c.collects() {
		return c.now
	}
	return c.now.Add(c.hush() / gathering)
}

// collect takes the obituaries and introductions that from has sent to this node, to be
// broadcast with others', unless they have been, and returns what else m says: what is for
// the directory alone is left to it, and so is the end of a member that was not suspected
// here, which it asks before it believes that.
func (c *Core) collect(from overlay.Node, m directory.Tell) directory.Tell {
	var other []directory.Fact
	for n, f := range m.Facts {
		if n < maxHushed && c.isIntroduction(from, f) {
			c.introduce(from, f)
			continue
		}
		before, ok := c.dir.Lookup(f.Node.Name)
		surprise := f.Status == directory.Failed && c.isUp(f.Node) && !c.detector.Believes(f.Node)
		if n >= maxHushed || !isObituary(f) || f.Node.Name == c.cfg.Self.Name || !c.isUp(from) || !ok || before.Node != f.Node || surprise {
			other = append(other, f)
			continue
		}
		c.believe(directory.Broadcast{Facts: []directory.Fact{f}})
		after, _ := c.dir.Lookup(f.Node.Name)
		switch i := c.hushed.of(f.Node); {
		case c.dead(f.Node) == 0: // it has refuted that
		case (i < 0 || isNews(c.hushed[i].fact)) && (!after.Same(before) || !slices.Contains(c.aired, f.Node)):
			c.hushed.wait(after, c.gather())
		case i >= 0 && c.collects():
			if due := c.gather(); c.hushed[i].due.After(due) {
				c.hushed[i].due = due
			}
		}
	}
	return directory.Tell{Facts: other}
}

// sendToCollector says to a collector what is due; to all what it has told to several in
// vain.
func (c *Core) sendToCollector() {
	at := c.collectors()
	to := at[c.cfg.Rand.IntN(len(at))]
	if to == c.asked { // rather another one than last time
		to = at[(slices.Index(at, to)+1)%len(at)]
	}
	var all, sent notices
	c.hushed = slices.DeleteFunc(c.hushed, func(o notice) bool {
		vain := o.sent >= collectors && !c.now.Before(o.due)
		if vain {
			all = append(all, o)
		}
		return vain
	})
	for i := range c.hushed {
		if o := &c.hushed[i]; !c.now.Before(o.due) {
			o.sent, o.to = o.sent+1, to
			o.due = c.now.Add(c.patience(o))
			sent = append(sent, *o)
		}
	}
	for some := range slices.Chunk(sent.facts(), maxHushed) {
		c.asked = to
		c.emit(overlay.Post{To: to, Message: directory.Tell{Facts: some}})
	}
	c.broadcastAll(all, false)
}

// patience is how long something that was sent to a collector may take until all hear it.
func (c *Core) patience(o *notice) time.Duration {
	if isNews(o.fact) {
		return reintroducing + c.some(reintroducing/2)
	}
	return (2*c.hush() + c.some(c.hush())) << max(0, o.sent-2)
}

// collectorGone has what was sent to a collector that is gone sent to another.
func (c *Core) collectorGone(node overlay.Node) {
	for i := range c.hushed {
		if o := &c.hushed[i]; o.sent > 0 && o.to == node {
			o.due, o.sent, o.to = c.now, o.sent-1, overlay.Node{}
			if c.shunned == nil {
				c.shunned = make(map[overlay.Node]bool)
			}
			c.shunned[node], c.lowest = true, nil
		}
	}
}
