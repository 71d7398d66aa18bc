package swim

import (
	"slices"
	"time"
)

// probed handles the probes whose time has come.
func (c *Core) probed() {
	for {
		n := slices.IndexFunc(c.probes, func(p *probe) bool { return due(p.direct, c.now) || due(p.end, c.now) })
		if n < 0 {
			return
		}
		p := c.probes[n]
		hidden := p.kind == recheck && c.hidden(p.target)
		seen := p.seen && (p.kind != recheck || hidden) // a suspicion that others know of has to be refuted
		switch {
		case c.postpone(p):
		case due(p.end, c.now) && seen && hidden:
			c.withdraw(p.target)
		case due(p.end, c.now) && seen:
			c.abandon(p.target, p.kind)
		case due(p.end, c.now):
			c.conclude(p)
		case seen:
			p.direct = time.Time{}
		default:
			c.ask(p)
		}
	}
}

// postpone gives more time if this machine has been found busier since it was given,
// and reports whether it has. There is none for a link that was reset: whether a
// connection is refused is soon known, and says more than silence.
func (c *Core) postpone(p *probe) bool {
	more := c.slack() - p.slack
	if more <= 0 || p.kind == reset {
		return false
	}
	p.slack += more
	p.end = p.end.Add(more)
	if !p.direct.IsZero() {
		p.direct = p.direct.Add(more)
	}
	return true
}

// conclude ends a probe without an answer from the target.
func (c *Core) conclude(p *probe) {
	switch p.kind {
	case inTurn, second:
		if len(p.asked) == p.helpers { // nobody was heard of
			if !p.lingers { // it was counted before it lingered
				c.ail()
			}
			if c.linger(p) {
				return
			}
		}
		c.abandon(p.target, p.kind)
		if (p.kind == inTurn || p.lingers) && c.cfg.Twice && c.members.all[p.target].state == Alive {
			c.check(p.target, second)
			return
		}
		c.suspect(p.target, c.cfg.Self, false)
	case recheck:
		if c.hidden(p.target) {
			c.concludeHidden(p)
		}
		c.again(p)
	case reset:
		if !p.active() {
			c.takeOver(p)
			return
		}
		if p.helpers > 0 && len(p.asked) == p.helpers {
			c.ail()
		}
		c.concludeReset(p)
	}
}

// concludeHidden accuses p's target, unless not even those who were asked to help were
// heard of: then that may be this node's fault, for half of the shortest suspicion.
func (c *Core) concludeHidden(p *probe) {
	s := c.members.suspicion(p.target)
	if p.helpers > 0 && len(p.asked) == p.helpers && c.patient() {
		c.ail()
		if c.now.Sub(s.since) < s.low/2 {
			return
		}
	}
	c.accuse(p.target)
}

// linger has p wait once more, for a period, before anything more is asked, and reports
// whether it does. Not even those were heard of who were asked to help: it may be this
// node or its machine that is slow, and then the answers are on their way.
func (c *Core) linger(p *probe) bool {
	other := func(q *probe) bool { return q.kind == second && q.target == p.target }
	if !c.patient() || p.helpers == 0 || p.kind != inTurn || slices.ContainsFunc(c.probes, other) {
		return false
	}
	p.kind, p.lingers, p.direct = second, true, time.Time{}
	p.slack = c.slack()
	p.end = c.now.Add(c.scaled(c.cfg.Period))
	return true
}

func (c *Core) concludeReset(p *probe) {
	i := p.target
	trusted := c.members.sample(c.cfg.Witnesses, c.cfg.Rand, func(j id) bool { return j != i && c.members.all[j].state == Alive })
	switch {
	case len(p.refused) > 0 && len(p.refused) >= len(trusted), len(trusted) == 0 && p.again:
		// If there is nobody else, this node's own word has to do.
		f := c.members.fact(Confirm, i, c.cfg.Self)
		f.Refused = true
		c.fail(i, f, true, false)
	case len(trusted) > 0 && (p.tries < resets || p.tries == resets && c.leisure(p) > 0):
		c.again(p)
	default:
		c.abandon(i, reset)
		c.suspect(i, c.cfg.Self, false)
	}
}
