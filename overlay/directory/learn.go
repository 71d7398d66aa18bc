package directory

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// source is where a fact comes from. It decides what becomes of a member who is
// said to be dead.
type source int

const (
	// hearsay was told in an exchange, perhaps long after it happened.
	hearsay source = iota
	// fresh was broadcast by who found out, or found out here.
	fresh
)

// learnAll learns as many facts as one message may bring.
func (c *Core) learnAll(facts []Fact, how source) {
	taken := facts[:min(len(facts), hardMaxFacts)]
	c.refused += len(facts) - len(taken)
	left := len(taken)
	for some := range slices.Chunk(taken, warmed) {
		known := c.table.len
		if len(some) > 1 {
			c.table.warm(some)
		}
		for _, f := range some {
			c.learn(f, how)
		}
		left -= len(some)
		if c.table.len-known == len(some) { // the rest is news, too
			c.effects = slices.Grow(c.effects, left)
		}
	}
}

// learn merges a fact, lets others know what that changes, and reports whether
// it has changed anything.
func (c *Core) learn(f Fact, how source) bool {
	if f.valid(c.cfg.MaxMeta) != nil {
		c.refused++
		return false
	}
	f.Age = min(f.Age, c.fadeAfter(f.Status))
	e := c.table.find(f.Node.Name)
	if e.none() {
		return c.discover(f)
	}
	old := e.fact()
	next := old.Merge(f)
	again := old.Status.Dead() && old.Node == f.Node && f.Status.Dead() && old.Number == f.Number && next.stamp() == old.stamp()
	if again {
		c.hearAgain(e, f, how)
	}
	if next.Same(old) {
		return false
	}
	e = c.table.replace(e, next)
	if e.node.Name == c.cfg.Self.Name && c.gone == nil && c.defend(e) {
		return true
	}
	switch {
	case next.Node != old.Node:
		c.supersede(e, old, f.Age)
	case next.stamp() == old.stamp() || next.Status == old.Status && next.Status == Alive:
	case next.Status == Alive:
		c.revive(e)
	default:
		c.die(e, old, f.Age, how)
	}
	if next.Node == old.Node && next.Meta != old.Meta && e.up {
		c.emit(Updated{e.fact()})
	}
	return true
}

// discover learns of a name for the first time. Who is dead already has never
// been a member here.
func (c *Core) discover(f Fact) bool {
	if c.table.len >= c.cfg.MaxMembers {
		c.refused++
		if !c.full {
			c.full = true
			c.emit(Full{f.Node})
		}
		return false
	}
	e := c.table.insert(f)
	if f.Status.Dead() {
		c.entomb(e, f.Age)
		return true
	}
	c.turn(e, true)
	c.emit(Up{f.Node})
	return true
}

// hearAgain: a death that is known is told once more. What is news to another is
// a second opinion on what was in doubt.
func (c *Core) hearAgain(e entry, f Fact, how source) {
	if (f.Status == Left) == (e.status() == Left) {
		c.backdate(e, f.Age)
	}
	if how == fresh && e.up {
		c.down(e)
	}
}

// supersede: a newer incarnation is known of a name.
func (c *Core) supersede(e entry, old Fact, age time.Duration) {
	c.unearth(old.Node.Name)
	wasUp := e.up
	if wasUp {
		e.up = false
		c.table.up--
		c.note(old.Node, false)
	}
	c.report(c.parted.restarted(c.now, old.Node))
	if status := e.status(); status.Dead() {
		if wasUp {
			c.emit(Down{old.Node, overlay.ErrRestarted})
		}
		c.entomb(e, age)
		return
	}
	c.turn(e, true)
	if wasUp || old.Status == Failed || old.Status == Crashed {
		c.emit(Restarted{old.Node, e.node, !wasUp})
	} else {
		c.emit(Up{e.node})
	}
}

// revive: a node has refuted that it has failed.
func (c *Core) revive(e entry) {
	c.unearth(e.node.Name)
	if e.up {
		return // it was in doubt only
	}
	c.turn(e, true)
	c.emit(Returned{e.node})
	c.report(c.parted.returned(c.now, e.node))
}

// die: a node has failed, crashed or left.
func (c *Core) die(e entry, old Fact, age time.Duration, how source) {
	status, number := unstamp(e.stamp)
	inDoubt := e.up && old.Status.Dead() && old.Number == number
	if status != Left && old.Status.Dead() && old.Number == number {
		age = max(age, c.now.Sub(c.tombs.byName[e.node.Name].died))
	}
	c.entomb(e, age)
	switch {
	case status == Left:
		if e.up {
			c.turn(e, false)
			c.emit(Departed{e.node})
		}
		c.report(c.parted.departed(c.now, e.node))
	case !e.up:
		if status == Crashed {
			c.report(c.parted.crashed(c.now, e.node))
		}
	case how == fresh || len(c.doubts) >= 2*c.cfg.MaxMembers:
		c.down(e)
	case !inDoubt:
		c.doubts = append(c.doubts, doubt{node: e.node, number: number, until: c.now.Add(c.cfg.Doubt), overheard: c.overhears})
		c.hearsay = append(c.hearsay, c.told(e))
	}
}

// down: a member is none any more.
func (c *Core) down(e entry) {
	c.turn(e, false)
	reason, crashed := overlay.ErrSilent, e.status() == Crashed
	if crashed {
		reason = overlay.ErrUnreachable
	}
	c.emit(Down{e.node, reason})
	c.report(c.parted.failed(c.now, e.node, crashed, c.table.up))
}

// obituary: the failure detector, or a try, says that a node is dead.
func (c *Core) obituary(node overlay.Node, crashed bool) {
	e := c.table.find(node.Name)
	if e.none() || e.node != node || node == c.cfg.Self {
		return
	}
	status, number := unstamp(e.stamp)
	if status == Left {
		return
	}
	f := Fact{Node: node, Status: Failed, Number: number}
	if crashed {
		f.Status = Crashed
	}
	if c.learn(f, fresh) {
		c.news = append(c.news, c.told(c.table.find(node.Name)))
	}
}
