package plumtree

import "time"

// broadcast begins a message of this node's own.
func (c *Core) broadcast(now time.Time, payload []byte) {
	o := c.own
	if len(payload) > c.cfg.MaxPayload {
		c.emit(Rejected{Payload: payload, Reason: ErrTooLarge})
		return
	}
	if o == nil {
		if o = c.meet(now, c.cfg.Self, now); o == nil {
			c.emit(Rejected{Payload: payload, Reason: ErrOriginsFull})
			return
		}
		c.own = o
	}
	c.stats.Broadcast++
	c.returnTo(now, o)
	k := c.keep(kept{from: o, seq: o.seen.low + 1, born: now, payload: payload, alone: len(c.peers) == 0})
	c.accept(now, k)
	c.push(now, k, payload, nil)
}

// gossip takes a message with its payload. One from a stranger is taken as well,
// since a link may be used before this side knows it as a neighbor's, but it
// changes no tree.
func (c *Core) gossip(now time.Time, from *peer, g Gossip) {
	o, ok := c.admit(now, g)
	if !ok {
		return
	}
	if o.seen.has(g.ID.Seq) {
		c.stats.Duplicates++
		if k := o.retained(g.ID.Seq); k != nil && from != nil {
			from.has(k)
		}
		if from != nil && c.leads(o) && g.Age < c.cfg.settled() {
			c.relax(c.treeOf(o), from)
			c.prune(from, o)
		}
		return
	}
	rivals := o.wanted(g.ID.Seq)
	k := c.keep(kept{from: o, seq: g.ID.Seq, round: g.Round, parent: from, born: now.Add(-g.Age), payload: g.Payload})
	c.accept(now, k)
	c.push(now, k, g.Payload, from)
	if from == nil || !c.leads(o) {
		return
	}
	c.treeOf(o).makeEager(from.slot)
	if rivals != nil {
		if best, ok := rivals.best(); ok {
			c.optimize(now, k, best)
		}
	}
}

// speakUp pushes to p, a new neighbor, what this node has just broadcast when it had none:
// left to the exchange, it would come late, and too old to prune anything. Not only the
// first neighbor gets it, which may be lost at once, or have lost others to make room for
// this node: as if they had all been there.
func (c *Core) speakUp(now time.Time, p *peer) {
	if c.own == nil {
		return
	}
	kept := c.own.kept
	i := len(kept)
	for i > 0 && len(kept)-i < c.cfg.MaxRepair && now.Sub(kept[i-1].born) < c.cfg.settled() {
		i--
	}
	for _, k := range kept[i:] {
		if k.alone {
			c.stats.GossipSent++
			c.send(p, k.gossip(now))
		}
	}
}

// admit returns the origin of a message that may be taken.
func (c *Core) admit(now time.Time, g Gossip) (*origin, bool) {
	switch {
	case !g.valid(c.cfg.MaxPayload), g.ID.Origin == c.cfg.Self && (c.own == nil || !c.own.seen.has(g.ID.Seq)):
		c.stats.Malformed++
		return nil, false
	case g.Age >= c.cfg.Retain: // it may have been delivered and forgotten
		c.stats.Stale++
		return nil, false
	}
	o := c.meet(now, g.ID.Origin, now.Add(-g.Age))
	if o == nil {
		c.missed(g.ID.Origin, Span{g.ID.Seq, g.ID.Seq}, ErrOriginsFull)
	}
	return o, o != nil
}

// accept delivers k, which has not been seen, and retains it.
func (c *Core) accept(now time.Time, k *kept) {
	o := k.from
	if m := o.wanted(k.seq); m != nil {
		c.cancel(m)
	}
	o.seen.add(k.seq)
	if o.begin == 0 {
		o.begin = k.seq
	}
	if k.born.After(o.last) {
		o.last = k.born
	}
	c.stats.Delivered++
	if now.Sub(k.born) < c.cfg.settled() {
		c.stir(now, o)
	}
	c.emit(Deliver{ID: k.id(), Payload: k.payload, Hops: k.round})
	c.settle(now, o)
	c.retain(k)
}

// push sends k to those that are eager and will announce it to those that are
// lazy, except to whom it is from.
func (c *Core) push(now time.Time, k *kept, payload []byte, from *peer) {
	t := c.treeOf(k.from)
	for _, p := range c.peers {
		switch {
		case p == from:
		case t.isLazy(p.slot):
			c.announce(now, p, k)
		default:
			g := k.gossip(now)
			g.Payload = payload // which k may have lost already
			c.stats.GossipSent++
			c.send(p, g)
		}
	}
}

// optimize exchanges the link over which k has come for one whose path is
// shorter by the threshold.
func (c *Core) optimize(now time.Time, k *kept, by announcer) {
	p, t := k.parent, c.treeOf(k.from)
	if p == nil || p.gone || p == by.peer || t.isLazy(p.slot) || k.round-by.round < c.cfg.Threshold {
		return
	}
	if !c.leads(k.from) || !c.first(now, k.from) {
		return
	}
	t.makeEager(by.peer.slot)
	c.relax(t, p)
	k.parent, k.round = by.peer, by.round
	c.stats.Optimized++
	c.stats.GraftSent++
	c.send(by.peer, Graft{ID: ID{Origin: k.from.node}})
	c.prune(p, k.from)
}

// stir notes that there is news of o. Of the origins that share a tree, only
// one leads: the first in the order of nodes of which there was news lately. See
// the package for why.
func (c *Core) stir(now time.Time, o *origin) {
	if o.tree != nil {
		return
	}
	if c.leader == nil || o.node.Compare(c.leader.node) < 0 || now.Sub(c.stirred) >= c.cfg.settled() {
		c.leader = o
	}
	if c.leader == o {
		c.stirred = now
	}
}

// leads reports whether o's messages shape the tree that they take.
func (c *Core) leads(o *origin) bool { return o.tree != nil || c.leader == o }

// first reports whether o leads for longer: whether it is the first of those
// that have broadcast while its messages are retained. The paths of the shared
// tree are made short for that one only, not for each that leads for a moment.
func (c *Core) first(now time.Time, o *origin) bool {
	if o.tree != nil {
		return true
	}
	for _, other := range c.origins {
		if other.tree == nil && now.Sub(other.last) < c.cfg.Retain {
			return other == o
		}
	}
	return false
}

func (c *Core) prune(p *peer, o *origin) {
	c.stats.PruneSent++
	c.send(p, Prune{Origin: o.node})
}

// treeOf returns the tree that o's messages are pushed along.
func (c *Core) treeOf(o *origin) *tree {
	if o != nil && o.tree != nil {
		return o.tree
	}
	return &c.shared
}

// pruned: what p has been pushed was not needed.
func (c *Core) pruned(p *peer, m Prune) { c.relax(c.treeOf(c.origin(m.Origin)), p) }

// grafted: p wants to be pushed messages, and ID now.
func (c *Core) grafted(now time.Time, p *peer, m Graft) {
	if m.ID.Origin.IsZero() && m.ID.Seq > 0 || m.ID.Seq > maxSeq {
		c.stats.Malformed++
		return
	}
	if m.ID.Seq == 0 {
		c.graftedAll(now, p, m)
		return
	}
	o := c.origin(m.ID.Origin)
	if !m.Once {
		c.treeOf(o).makeEager(p.slot)
	}
	age := c.cfg.Retain
	if o != nil {
		if k := o.retained(m.ID.Seq); k != nil {
			c.stats.GossipSent++
			c.send(p, k.gossip(now))
			return
		}
		age = max(now.Sub(o.last), 0)
	}
	c.send(p, Repair{Gone: []Gone{{Origin: m.ID.Origin, First: m.ID.Seq, Last: m.ID.Seq, Age: age}}})
}
