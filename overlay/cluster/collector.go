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
	// collecting is from how many members on obituaries are collected.
	collecting = 256
	// collectors is how many collect, as some may be among the dead.
	collectors = 3
	// gathering is the part of Config.Hush that a collector waits for more.
	gathering = 2
)

// collected reports whether the cluster is large enough.
func (c *Core) collected() bool { return len(c.up) >= collecting }

// collectors returns the lowest members: all agree on them, but for those of whose death
// not all know. None of them has refused a connection of late.
func (c *Core) collectors() []overlay.Node {
	if c.lowest != nil {
		return c.lowest
	}
	lowest := []overlay.Node{c.cfg.Self}
	for n := range c.up {
		if c.shunned[n] {
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

// collects reports whether this node is a collector.
func (c *Core) collects() bool { return slices.Contains(c.collectors(), c.cfg.Self) }

// gather returns when what has been found out now is to be said.
func (c *Core) gather() time.Time {
	if !c.collects() {
		return c.now
	}
	return c.now.Add(c.hush() / gathering)
}

// collect takes the obituaries that another has sent to this node, to be broadcast with
// others', unless all have been told of them already, and returns what else m says.
func (c *Core) collect(m directory.Tell) directory.Tell {
	var other []directory.Fact
	var due time.Time
	for _, f := range m.Facts {
		if !isObituary(f) || f.Node == c.cfg.Self {
			other = append(other, f)
			continue
		}
		if due.IsZero() {
			due = c.gather()
		}
		up, known := c.up[f.Node], c.dead(f.Node)
		c.believe(directory.Broadcast{Facts: []directory.Fact{f}})
		switch i := c.hushed.of(f.Node); {
		case up && !c.up[f.Node], !up && known != c.dead(f.Node):
			c.hushed.wait(f, due)
		case i >= 0 && c.hushed[i].due.After(due):
			c.hushed[i].due = due
		}
	}
	return directory.Tell{Facts: other}
}

// sendToCollector says to a collector what is due, and what it has told to nobody; to all
// what it has told to several in vain.
func (c *Core) sendToCollector() {
	at := c.collectors()
	to := at[c.cfg.Rand.IntN(len(at))]
	var all, sent obituaries
	c.hushed = slices.DeleteFunc(c.hushed, func(o obituary) bool {
		vain := o.sent >= collectors && !c.now.Before(o.due)
		if vain {
			all = append(all, o)
		}
		return vain
	})
	for i := range c.hushed {
		if o := &c.hushed[i]; o.sent == 0 || !c.now.Before(o.due) {
			o.sent, o.to = o.sent+1, to
			o.due = c.now.Add((2*c.hush() + c.some(c.hush())) << (o.sent - 1))
			sent = append(sent, *o)
		}
	}
	for some := range slices.Chunk(sent.facts(), maxHushed) {
		c.emit(overlay.Post{To: to, Message: directory.Tell{Facts: some}})
	}
	c.broadcastAll(all, false)
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
