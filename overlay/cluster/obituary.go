package cluster

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

const (
	// crowd is from how many members on obituaries may wait for all of Config.Hush: in
	// a smaller cluster, broadcasts are faster, and fewer too many do less harm.
	crowd = 500
	// maxHushed is how many obituaries, or introductions, go into one message.
	maxHushed = 64
	// onlookers is how many times Config.Hush those wait at least who have not found out
	// themselves: all do who have heard an accusation, at the same moment, and they speak
	// up only in case that all accusers are gone.
	onlookers = 3
	// recent is how many times Config.Hush ago somebody has died of whom all will hear
	// anyway, so that who has learned of it in an exchange waits for as long. In a large
	// cluster that is for longer than it has doubts, and nobody but the dead is told of them.
	recent = 4
	// maxAired is of how many it is remembered that all were told.
	maxAired = 512
)

// publish broadcasts what the directory wants known. Obituaries wait for a moment, by
// chance shorter or longer, as all who had a link to a node that has crashed find out at
// the same time, and all members need not hear of it from each of them: the first is
// heard by the others. So do those of several nodes become one broadcast. In a large
// cluster they are collected, as is that a node has come. Deaths that were heard of in an
// exchange, and are in doubt, wait as well.
func (c *Core) publish(b directory.Broadcast) {
	switch {
	case c.leavesToCollectors(b):
		c.hushAll(b.Facts, c.now)
		c.releaseDue()
	case len(b.Values) > 0 || slices.ContainsFunc(b.Facts, isNews) || c.cfg.Hush < 0:
		c.overhear(b)
		c.announce(b)
	case b.Hearsay:
		for _, f := range b.Facts {
			until := c.now.Add(c.some(c.hush()))
			if f.Age < recent*c.hush() {
				until = until.Add(recent * c.hush())
			}
			c.rumored.wait(f, until)
		}
	case c.onlooker:
		c.hushAll(b.Facts, c.now.Add(onlookers*c.hush()+c.some(c.hush())))
	case c.collected():
		c.hushAll(b.Facts, c.gather())
		c.releaseDue()
	default:
		c.hushAll(b.Facts, c.now.Add(c.some(c.hush())))
		if c.hushed.count(isObituary) >= maxHushed {
			c.release(isObituary)
		}
	}
}

func isObituary(f directory.Fact) bool {
	return f.Status == directory.Failed || f.Status == directory.Crashed
}

// isNews reports whether f is of no death: that a node has come, is back, leaves, or has other
// metadata.
func isNews(f directory.Fact) bool { return !isObituary(f) }

// dead returns what the directory knows of node's death, 0 if nothing.
func (c *Core) dead(node overlay.Node) directory.Status {
	if f, _ := c.dir.Lookup(node.Name); f.Node == node && f.Status.Dead() {
		return f.Status
	}
	return 0
}

func (c *Core) hushAll(facts []directory.Fact, due time.Time) {
	for _, f := range facts {
		c.hushed.wait(f, due)
	}
}

// hush is how long an obituary may wait for somebody else's.
func (c *Core) hush() time.Duration {
	return max(0, c.cfg.Hush) * time.Duration(min(c.others(), crowd)) / crowd
}

// some draws a part of d.
func (c *Core) some(d time.Duration) time.Duration {
	return time.Duration(c.cfg.Rand.Int64N(int64(d) + 1))
}

// overhear drops what is broadcast without what waits here, or worse news. What
// others have in doubt as well is news nevertheless.
func (c *Core) overhear(b directory.Broadcast) {
	for _, f := range b.Facts {
		c.rumored.overhear(f)
		if !b.Hearsay {
			c.hushed.overhear(f)
			c.air(f)
		}
	}
}

// air notes that all are told of f.
func (c *Core) air(f directory.Fact) {
	if isObituary(f) {
		c.aired = append(c.aired, f.Node)
		c.aired = slices.Delete(c.aired, 0, max(0, len(c.aired)-maxAired))
	}
}

// release broadcasts all that has waited and is of a kind.
func (c *Core) release(kind func(directory.Fact) bool) {
	c.dropStale()
	var released notices
	c.hushed = slices.DeleteFunc(c.hushed, func(o notice) bool {
		is := kind(o.fact)
		if is {
			released = append(released, o)
		}
		return is
	})
	c.broadcastAll(released, false)
}

// dropStale drops the deaths that were refuted, the introductions of those that have died, and
// what is said of an incarnation that has a successor.
func (c *Core) dropStale() {
	c.hushed = slices.DeleteFunc(c.hushed, func(o notice) bool {
		known, _ := c.dir.Lookup(o.fact.Node.Name)
		return known.Node != o.fact.Node || isObituary(o.fact) != known.Status.Dead()
	})
}

func (c *Core) broadcastAll(all notices, hearsay bool) {
	for some := range slices.Chunk(all.facts(), maxHushed) {
		for _, f := range some {
			if !hearsay {
				c.air(f)
			}
		}
		c.announce(directory.Broadcast{Facts: some, Hearsay: hearsay})
	}
}

// releaseDue says what has waited, if it is time to.
func (c *Core) releaseDue() {
	if len(c.hushed) == 0 && c.shunned != nil {
		c.shunned, c.lowest = nil, nil
	}
	if c.hushed.due(c.now) {
		c.dropStale()
	}
	switch {
	case !c.hushed.due(c.now):
	case c.collected() && !c.collects():
		c.sendToCollector()
	default: // what others of the kind wait for is said with them
		for _, kind := range []func(directory.Fact) bool{isObituary, isNews} {
			if slices.ContainsFunc(c.hushed, func(o notice) bool { return kind(o.fact) && !c.now.Before(o.due) }) {
				c.release(kind)
			}
		}
	}
	if c.rumored.due(c.now) {
		rumored := slices.DeleteFunc(c.rumored, func(o notice) bool {
			return !c.isUp(o.fact.Node) || c.dead(o.fact.Node) == 0 // that is known, or refuted
		})
		c.rumored = nil
		c.broadcastAll(rumored, true)
	}
}
