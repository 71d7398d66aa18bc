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

// alive is the fact that a member is alive.
func (m *member) alive() Fact {
	return Fact{State: Alive, Node: m.node, Incarnation: m.incarnation, By: m.node}
}

// charge is what m is accused of, if anything, as far as others may know.
func (m *member) charge(self overlay.Node) (Fact, bool) {
	f := Fact{State: m.state, Node: m.node, Incarnation: m.incarnation, By: self}
	if s := m.suspicion; s != nil && (!s.own || s.hidden) {
		n := slices.IndexFunc(s.accusers, func(by overlay.Node) bool { return by != self })
		if n < 0 {
			return f, false
		}
		f.By = s.accusers[n]
	}
	return f, m.state != Alive
}

// hear takes what others say.
func (c *Core) hear(f Fact, quiet bool) {
	if !f.valid() {
		c.stats.Malformed++
		return
	}
	if f.Node == c.cfg.Self {
		c.accused(f)
		return
	}
	i := c.members.find(f.Node)
	if i == nobody {
		c.stats.Strangers++
		return
	}
	m := &c.members.all[i]
	if f.Incarnation > m.incarnation && f.Incarnation-m.incarnation > maxJump {
		c.stats.Malformed++
		return
	}
	if f.Incarnation < m.incarnation {
		if f.State != Alive && m.state == Alive { // they have missed the refutation
			c.reply = append(c.reply, m.alive())
		}
		return
	}
	if f.By == c.cfg.Self { // it is what this node has said before
		return
	}
	newer := f.Incarnation > m.incarnation
	if newer && (f.State != Confirm || m.state != Confirm) { // it was refuted in between
		c.trust(i, f.Incarnation, quiet)
	}
	switch {
	case f.State == Suspect && m.state != Confirm:
		c.suspect(i, f.By, quiet)
	case f.State == Confirm && m.state == Confirm && newer:
		m.incarnation = f.Incarnation
		c.rumors.drop(m.node)
		c.spread(f, quiet)
	case f.State == Confirm && m.state != Confirm:
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
	fresh := c.members.all[i].suspicion == nil
	c.suspect(i, f.By, quiet)
	c.confirm(i)
	if fresh {
		c.reckon(c.members.all[i].suspicion, c.now)
	}
}

// ripe reports whether the suspicion of i has gone on here for long enough.
func (c *Core) ripe(i id) bool {
	s := c.members.all[i].suspicion
	return s != nil && c.now.Sub(s.since) >= s.low/2
}

// said takes a member's own word for its incarnation.
func (c *Core) said(i id, incarnation uint64) {
	m := &c.members.all[i]
	switch {
	case incarnation <= m.incarnation:
	case m.state == Alive:
		m.incarnation = incarnation
		c.rumors.drop(m.node)
	default:
		c.trust(i, incarnation, false)
	}
}

// trust believes in a greater incarnation of i.
func (c *Core) trust(i id, incarnation uint64, quiet bool) {
	m := &c.members.all[i]
	was := m.state
	m.incarnation, m.state = incarnation, Alive
	switch was {
	case Suspect:
		c.acquit(i)
		c.abandon(i, recheck)
		c.emit(Trusted{m.node, incarnation})
	case Confirm:
		c.members.bury(i)
		c.members.line(i, c.cfg.Rand)
		c.emit(Returned{m.node, incarnation})
	}
	c.rumors.drop(m.node)
	c.spread(m.alive(), quiet)
}

// fail declares i failed, because of f. source is set if this node has evidence of
// its own, and lets others know.
func (c *Core) fail(i id, f Fact, source, quiet bool) {
	m := &c.members.all[i]
	c.acquit(i)
	m.state = Confirm
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
	c.emit(Failed{m.node, m.incarnation, f.By, reason, source})
	if source {
		c.emit(Spread{f})
	}
	c.rumors.drop(m.node)
	c.spread(f, quiet)
}

// accused refutes what is said of this node, if it is. Only what is about the
// present incarnation costs a new one; whoever says something older is told the
// present one.
func (c *Core) accused(f Fact) {
	if f.State == Alive {
		return
	}
	if f.Incarnation > c.incarnation && f.Incarnation-c.incarnation > maxJump {
		c.stats.Malformed++
		return
	}
	if f.Incarnation >= c.incarnation {
		c.incarnation = f.Incarnation + 1
		c.stats.Refutations++
		c.ail()
		c.emit(Refuted{c.incarnation, f.By})
		c.rumors.drop(c.cfg.Self)
		c.emit(Spread{c.defence()})
		c.spread(c.defence(), false)
	}
	c.refute = true
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
