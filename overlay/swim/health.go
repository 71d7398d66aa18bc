package swim

import (
	"container/heap"
	"time"
)

// Local health follows Lifeguard's LHA-Probe. It becomes worse by one when a probe
// fails and none of those who were asked to help has said so, when this node has to
// refute something, and when it has slept for more than a period; better by one with each probe that is
// answered. Lifeguard counts each helper that is not heard of. That has every node
// of a partition think itself ill, as its helpers are on the other side, and take
// nine times as long to see it.

// ail makes local health worse.
func (c *Core) ail() {
	if !c.cfg.Plain {
		c.health = min(c.health+1, c.cfg.MaxHealth)
	}
}

// heal makes local health better.
func (c *Core) heal() { c.health = max(c.health-1, 0) }

// scaled is d as local health has it, and how busy this machine is.
func (c *Core) scaled(d time.Duration) time.Duration { return d*time.Duration(c.health+1) + c.slack() }

// wake is called after this node has slept through its deadlines, for so long. What it
// was waiting for may have come or been refuted meanwhile, and lies unread: all that is
// open begins anew. Those it suspects have what is left of their time when it was short,
// as on a machine with too much to do, and all of it again when it was longer than a
// period: then this node has missed what all others know, and may have lost its links.
func (c *Core) wake(slept time.Duration) {
	c.stats.Wakes++
	long := slept > c.cfg.Period
	if long { // it was stopped, which says nothing of how busy its machine is now
		c.ail()
		c.tempo.asked = [len(c.tempo.asked)]question{}
	}
	for _, s := range c.suspicions {
		if long {
			s.since = c.now
		} else {
			s.since = later(s.since.Add(slept), c.now.Add(c.cfg.Timeout-s.timeout()))
		}
		s.expires = s.since.Add(s.timeout())
	}
	heap.Init(&c.suspicions)
	open := c.probes
	c.probes, c.relays = nil, nil
	for _, p := range open {
		switch {
		case !p.active() && long: // it has its turn again
		case !p.active():
			p.end = later(p.end, c.now.Add(c.cfg.Timeout))
			c.probes = append(c.probes, p)
		case p.kind != inTurn && p.kind != second:
			c.check(p.target, p.kind)
		}
	}
	restart := func(at *time.Time, pause time.Duration) {
		if due(*at, c.now) {
			*at = c.now.Add(pause)
		}
	}
	restart(&c.turnAt, c.cfg.Timeout)
	restart(&c.reviveAt, c.cfg.Revive)
	restart(&c.gossipAt, c.cfg.Gossip)
	restart(&c.defendAt, c.cfg.Timeout)
}
