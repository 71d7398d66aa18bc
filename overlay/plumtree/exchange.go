package plumtree

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// exchange sends a digest to a neighbor that is new, or any one. The origins are
// told in turn, if there are more than a digest may have.
func (c *Core) exchange(now time.Time) {
	wait := c.cfg.Exchange/2 + time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Exchange/2)+1))
	c.exchangeAt = now.Add(wait)
	if len(c.peers) == 0 {
		return
	}
	i := slices.IndexFunc(c.peers, func(p *peer) bool { return p.fresh })
	if i < 0 {
		i = c.cfg.Rand.IntN(len(c.peers))
	}
	p := c.peers[i]
	p.fresh, p.asked = false, true
	if slices.ContainsFunc(c.peers, func(p *peer) bool { return p.fresh }) {
		c.exchangeAt = now.Add(min(wait, c.cfg.Lazy))
	}
	d := Digest{After: c.told}
	i, found := c.findOrigin(c.told)
	if found {
		i++
	}
	for ; i < len(c.origins) && len(d.Origins) < c.cfg.MaxDigest; i++ {
		d.Origins = append(d.Origins, c.origins[i].have(p))
	}
	if i < len(c.origins) {
		d.Until = c.origins[i-1].node
	}
	c.told = d.Until
	c.stats.DigestSent++
	c.send(p, d)
}

// have returns what p is told of o. What p has said to be gone, it is not asked
// for again.
func (o *origin) have(p *peer) Have {
	s := seen{o.seen.low, slices.Clone(o.seen.above)}
	if o.doom != nil && slices.Contains(o.doom.excused, p) {
		s.raise(o.doom.upTo)
	}
	return Have{Origin: o.node, Low: s.low, Above: s.above}
}

// due reports whether d may be answered: a full digest every so often, a partial
// one if it answers one of this node's, or goes on where a Repair has ended. That
// is, all that is retained may be had once in a while.
func (c *Core) due(now time.Time, p *peer, d Digest) bool {
	switch {
	case !d.Partial:
		if !p.answered.IsZero() && now.Sub(p.answered) < c.cfg.Exchange/4 {
			return false
		}
		p.answered, p.again = now, 0
	case p.asked:
		p.asked = false
	case p.more && p.again <= c.cfg.MaxRetained/c.cfg.MaxRepair:
		p.again++
	default:
		return false
	}
	return true
}

// compare answers a digest: with what p lacks, and with what this node lacks.
func (c *Core) compare(now time.Time, p *peer, d Digest) {
	if !d.valid(c.cfg.MaxDigest, c.cfg.MaxHoles) {
		c.stats.Malformed++
		return
	}
	if !c.due(now, p, d) {
		c.stats.Refused++
		return
	}
	if !d.Partial {
		c.ask(p, d)
	}
	r := repair{core: c, now: now}
	if d.Partial {
		for i := range d.Origins {
			if o := c.origin(d.Origins[i].Origin); o != nil {
				r.bring(o, &d.Origins[i])
			}
		}
	} else {
		r.bringAll(d)
	}
	p.more = r.full
	if len(r.messages) > 0 || len(r.gone) > 0 {
		c.stats.GossipSent += uint64(len(r.messages))
		c.send(p, Repair{Messages: r.messages, Gone: r.gone, More: r.full})
	}
}

// ask tells p of those origins of which it has more.
func (c *Core) ask(p *peer, d Digest) {
	var ask []Have
	next := 0
	for i := range d.Origins {
		h := &d.Origins[i]
		if h.Origin == c.cfg.Self {
			continue
		}
		var o *origin
		if o, next = c.seek(next, h.Origin); o == nil {
			if h.Low > 0 || len(h.Above) > 0 {
				ask = append(ask, Have{Origin: h.Origin})
			}
		} else if o.seen.lacks(h) {
			have := o.have(p)
			if mine := (seen{have.Low, have.Above}); mine.lacks(h) {
				ask = append(ask, have)
			}
		}
	}
	if len(ask) > 0 {
		c.stats.DigestSent++
		c.send(p, Digest{After: d.After, Until: d.Until, Origins: ask, Partial: true})
	}
}

// seek returns what is remembered of node, or nil, and the place after it. A digest is in
// order, and all know the same origins as a rule: then it is at place i.
func (c *Core) seek(i int, node overlay.Node) (*origin, int) {
	found := i < len(c.origins) && c.origins[i].node == node
	if !found {
		i, found = c.findOrigin(node)
	}
	if !found {
		return nil, i
	}
	return c.origins[i], i + 1
}

// repair is the answer to a digest as it grows.
type repair struct {
	core     *Core
	now      time.Time
	bytes    int
	messages []Gossip
	gone     []Gone
	full     bool // there is more
}

// bringAll goes through this node's origins in the range of d, and d's beside
// them.
func (r *repair) bringAll(d Digest) {
	c := r.core
	i, found := c.findOrigin(d.After)
	if found {
		i++
	}
	next := 0
	for ; i < len(c.origins); i++ {
		o := c.origins[i]
		if !d.Until.IsZero() && o.node.Compare(d.Until) > 0 {
			break
		}
		for next < len(d.Origins) && d.Origins[next].Origin.Compare(o.node) < 0 {
			next++
		}
		have := Have{Origin: o.node}
		if next < len(d.Origins) && d.Origins[next].Origin == o.node {
			have = d.Origins[next]
		}
		r.bring(o, &have)
	}
}

// bring adds what is retained of o and lacking in have, and says what below that
// cannot be had here. Young messages are on their way, and left alone.
func (r *repair) bring(o *origin, have *Have) {
	cfg := &r.core.cfg
	theirs := seen{low: have.Low, above: have.Above}
	end := o.seen.low // up to here, whatever is lacking is gone
	for _, k := range o.above(have.Low) {
		if theirs.has(k.seq) {
			continue
		}
		end = min(end, k.seq-1)
		if r.now.Sub(k.born) < cfg.settled() {
			continue
		}
		if r.bytes > 0 && r.bytes+len(k.payload) > cfg.MaxRepairBytes || len(r.messages) >= cfg.MaxRepair {
			r.full = true
			break
		}
		r.bytes += len(k.payload)
		r.messages = append(r.messages, k.gossip(r.now))
	}
	if end <= have.Low || len(r.gone) >= cfg.MaxDigest {
		return
	}
	// Who knows nothing of an origin is not told of one that is about to be
	// forgotten here: so that nodes do not remind each other of it for ever.
	age := r.now.Sub(o.last)
	if have.Low > 0 || len(have.Above) > 0 || age < cfg.Forget/2 {
		r.gone = append(r.gone, Gone{Origin: o.node, First: have.Low + 1, Last: end, Age: max(age, 0)})
	}
}
