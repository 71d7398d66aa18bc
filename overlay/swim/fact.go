package swim

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// maxJump is how much greater an incarnation may be that others tell than the one
// that is known. A node raises its own by one at a time and says it with each
// message, so whoever is further behind will hear it from itself.
const maxJump = 1024

func (f Fact) valid() bool {
	return Alive <= f.State && f.State <= Confirm && !f.Node.IsZero() && !f.By.IsZero()
}

// fact is what by says of the present incarnation of i.
func (t *table) fact(state State, i id, by overlay.Node) Fact {
	return Fact{State: state, Node: t.node(i), Incarnation: t.incarnation(i), By: by}
}

// alive is the fact that a member is alive.
func (t *table) alive(i id) Fact { return t.fact(Alive, i, t.node(i)) }

// charge is what i is accused of, if anything, as far as others may know.
func (t *table) charge(i id, self overlay.Node) (Fact, bool) {
	state, by := t.all[i].state, self
	if state == Alive {
		return Fact{}, false
	}
	if s := t.suspicion(i); s != nil && (!s.own || s.hidden) {
		n := slices.IndexFunc(s.accusers, func(by overlay.Node) bool { return by != self })
		if n < 0 {
			return Fact{}, false
		}
		by = s.accusers[n]
	}
	return t.fact(state, i, by), true
}

// hear takes what others say.
func (c *Core) hear(f Fact, quiet bool) {
	if !f.valid() {
		c.stats.Malformed++
		return
	}
	if f.Node == c.cfg.Self {
		c.accused(f, quiet)
		return
	}
	i := c.members.find(f.Node)
	if i == nobody {
		c.stats.Strangers++
		return
	}
	state, known := c.members.all[i].state, c.members.incarnation(i)
	if f.Incarnation > known && f.Incarnation-known > maxJump {
		c.stats.Malformed++
		return
	}
	if f.Incarnation < known {
		if f.State != Alive && state == Alive { // they have missed the refutation
			c.reply = append(c.reply, c.members.alive(i))
		}
		return
	}
	if f.By == c.cfg.Self { // it is what this node has said before
		return
	}
	newer := f.Incarnation > known
	if newer && (f.State != Confirm || state != Confirm) { // it was refuted in between
		c.trust(i, f.Incarnation, quiet)
		state = Alive
	}
	switch {
	case f.State == Suspect && state != Confirm:
		c.suspect(i, f.By, quiet)
	case f.State == Confirm && state == Confirm && newer:
		c.members.raise(i, f.Incarnation)
		c.rumors.drop(f.Node)
		c.spread(f, quiet)
	case f.State == Confirm && state != Confirm:
		c.obituary(i, f, quiet)
	}
}

// obituary believes f, if others were refused, or if the suspicion that must have
// come before has gone on here for long enough. If not, f is news from the other
// side of a partition that has healed, or by somebody who has slept, and i has not
// had a chance: it is suspected, as if all had confirmed it.
func (c *Core) obituary(i id, f Fact, quiet bool) {
	if f.Refused || c.ripe(i) {
		c.fail(i, f, false, quiet)
		return
	}
	fresh := c.members.suspicion(i) == nil
	c.suspect(i, f.By, quiet)
	c.confirm(i)
	if fresh {
		c.reckon(c.members.suspicion(i), c.now)
	}
}

// ripe reports whether the suspicion of i has gone on here for long enough.
func (c *Core) ripe(i id) bool {
	s := c.members.suspicion(i)
	return s != nil && c.now.Sub(s.since) >= s.low/2
}

// said takes a member's own word for its incarnation.
func (c *Core) said(i id, incarnation uint64) {
	switch {
	case incarnation <= c.members.incarnation(i):
	case c.members.all[i].state == Alive:
		c.members.raise(i, incarnation)
		c.rumors.drop(c.members.node(i))
	default:
		c.trust(i, incarnation, false)
	}
}

// trust believes in a greater incarnation of i.
func (c *Core) trust(i id, incarnation uint64, quiet bool) {
	node := c.members.node(i)
	c.members.raise(i, incarnation)
	switch c.members.all[i].state {
	case Suspect:
		c.acquit(i)
		c.abandon(i, recheck)
		c.emit(Trusted{node, incarnation})
	case Confirm:
		c.members.all[i].state = Alive
		c.members.bury(i)
		c.members.line(i, c.cfg.Rand)
		c.emit(Returned{node, incarnation})
	}
	c.rumors.drop(node)
	c.spread(c.members.alive(i), quiet)
}

// fail declares i failed, because of f. source is set if this node has evidence of
// its own, and lets others know.
func (c *Core) fail(i id, f Fact, source, quiet bool) {
	c.acquit(i)
	c.members.all[i].state = Confirm
	c.members.fail(i)
	c.tempo.drop(i)
	c.abandon(i, inTurn, second, recheck, reset)
	if c.nudge == i {
		c.nudge = nobody
	}
	reason := ErrNotRefuted
	if f.Refused {
		reason = ErrRefused
	}
	node := c.members.node(i)
	c.emit(Failed{node, c.members.incarnation(i), f.By, reason, source})
	if source {
		c.emit(Spread{f})
	}
	c.rumors.drop(node)
	c.spread(f, quiet)
}

// accused refutes what is said of this node, if it is. Only what is about the
// present incarnation costs a new one; whoever says something older is told the
// present one. If that was broadcast, all have heard it, and who watches this node only
// since it was refuted has believed it: so all are told.
func (c *Core) accused(f Fact, broadcast bool) {
	if f.State == Alive {
		return
	}
	if f.Incarnation > c.incarnation && f.Incarnation-c.incarnation > maxJump {
		c.stats.Malformed++
		return
	}
	switch {
	case f.Incarnation >= c.incarnation:
		c.incarnation = f.Incarnation + 1
		c.stats.Refutations++
		c.ail()
		c.emit(Refuted{c.incarnation, f.By})
		c.rumors.drop(c.cfg.Self)
		c.defend()
		c.spread(c.defence(), false)
	case !broadcast: // it goes around, and so does this
		c.rumors.drop(c.cfg.Self)
		c.spread(c.defence(), true)
	default:
		// One is enough for all that come meanwhile, and nobody's time is over before.
		if again := c.defended.Add(min(c.cfg.Period, c.shortest()/4)); c.now.Before(again) {
			c.defendAt = again
		} else {
			c.defend()
		}
	}
	c.refute = true
}

// defend has it broadcast that this node is alive.
func (c *Core) defend() {
	c.defended, c.defendAt = c.now, time.Time{}
	c.emit(Spread{c.defence()})
}

// defence is the fact that this node is alive.
func (c *Core) defence() Fact {
	return Fact{State: Alive, Node: c.cfg.Self, Incarnation: c.incarnation, By: c.cfg.Self}
}

// spread has f go around with the messages that are sent, and by itself unless
// quiet.
func (c *Core) spread(f Fact, quiet bool) {
	c.rumors.add(f, quiet || c.cfg.Fanout < 0, c.cfg.MaxRumors)
}

// gossip tells some others the news.
func (c *Core) gossip() {
	c.gossipAt, c.gossiped = time.Time{}, c.now
	for _, i := range c.members.sample(c.cfg.Fanout, c.cfg.Rand, func(id) bool { return true }) {
		if c.rumors.loud > 0 {
			c.tell(i, Gossip{})
		}
	}
}
