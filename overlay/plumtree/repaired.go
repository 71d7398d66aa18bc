package plumtree

import (
	"slices"
	"time"
)

// repaired takes the answer to a digest. What it brings is announced to all
// neighbors, also those that are eager, and pushed to none: they most likely
// have it, and would prune the link.
func (c *Core) repaired(now time.Time, p *peer, m Repair) {
	if len(m.Messages) > c.cfg.MaxRepair || len(m.Gone) > c.cfg.MaxDigest {
		c.stats.Malformed++
		return
	}
	var news []*origin
	for _, g := range m.Messages {
		o, ok := c.admit(now, g)
		if !ok || o.seen.has(g.ID.Seq) {
			continue
		}
		news = append(news, o)
		k := c.keep(kept{from: o, seq: g.ID.Seq, round: g.Round, born: now.Add(-g.Age), payload: g.Payload})
		c.accept(now, k)
		c.stats.Repaired++
		for _, other := range c.peers {
			if other != p {
				c.announce(now, other, k)
			}
		}
	}
	if m.More {
		c.goOn(p, news)
	}
	for _, g := range m.Gone {
		if !g.valid() {
			c.stats.Malformed++
		} else if g.Origin != c.cfg.Self {
			c.lost(now, p, g)
		}
	}
}

// goOn asks p for more of the origins of which it has just brought something.
func (c *Core) goOn(p *peer, news []*origin) {
	slices.SortFunc(news, func(a, b *origin) int { return a.node.Compare(b.node) })
	news = slices.Compact(news)
	if len(news) == 0 {
		return
	}
	d := Digest{Partial: true}
	for _, o := range news[:min(len(news), c.cfg.MaxDigest)] {
		d.Origins = append(d.Origins, o.have(p))
	}
	c.stats.DigestSent++
	c.send(p, d)
}

// lost takes the word of p that it cannot give what is missing. Who was asked
// for it by a graft need not be waited for; and what others cannot give within
// the grace is given up.
func (c *Core) lost(now time.Time, p *peer, g Gone) {
	if g.Age >= c.cfg.Forget {
		return
	}
	o := c.origin(g.Origin)
	if o == nil {
		if g.First != 1 {
			return
		}
		if o = c.meet(now, g.Origin, now.Add(-g.Age)); o == nil {
			c.stats.Refused++
			return
		}
	}
	i, _ := o.findWanted(g.First)
	for i < len(o.want) && o.want[i].seq <= g.Last {
		m := o.want[i]
		if m.asked == p {
			c.graft(now, m)
		} else {
			m.drop(p)
		}
		if i < len(o.want) && o.want[i] == m {
			i++
		}
	}
	if g.First > o.seen.low+1 || g.Last <= o.seen.low {
		return
	}
	if at := now.Add(c.cfg.grace()); o.doom == nil || at.Before(o.doom.at) {
		o.doom = &doom{at: at, upTo: g.Last}
	}
	if d := o.doom; g.Last >= d.upTo && !slices.Contains(d.excused, p) {
		d.excused = append(d.excused, p)
	}
}
