package plumtree

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// peer is a neighbor. Whether it is eager or lazy, trees say.
type peer struct {
	node overlay.Node
	slot int // its bit in every tree; another's after it is gone
	// announce is what it is to be told of with the next IHave.
	announce []*kept
	answered time.Time // when its last full digest was answered
	asked    bool      // it was sent a full digest, so that a partial one may come
	more     bool      // its last digest was answered in part, so that another may come
	again    int       // how often that was so, since its last full digest
	open     int       // how many missing messages it has announced first
	since    time.Time // when it became a neighbor
	hasty    time.Time // until when what it announces is asked for at once
	fresh    bool      // it is new: the next exchange is with it
	gone     bool      // it is a neighbor no more; others may still point here
}

func (c *Core) find(node overlay.Node) (int, bool) {
	return slices.BinarySearchFunc(c.peers, node, func(p *peer, n overlay.Node) int { return p.node.Compare(n) })
}

// peer returns the neighbor, or nil.
func (c *Core) peer(node overlay.Node) *peer {
	if i, ok := c.find(node); ok {
		return c.peers[i]
	}
	return nil
}

// has takes k from what p is to be told of: it has said that it has it.
func (p *peer) has(k *kept) {
	i := slices.Index(p.announce, k)
	if i < 0 {
		return
	}
	if p.announce = slices.Delete(p.announce, i, i+1); len(p.announce) == 0 {
		p.announce = nil
	}
}

// neighborUp adds an eager neighbor. No other link changes. One of the two, the
// lesser, begins an exchange soon: what a healed partition has kept apart.
func (c *Core) neighborUp(now time.Time, node overlay.Node) {
	i, ok := c.find(node)
	if ok || node.IsZero() || node == c.cfg.Self {
		return
	}
	p := &peer{node: node, slot: c.freeSlot(), since: now}
	c.peers = slices.Insert(c.peers, i, p)
	c.shared.makeEager(p.slot)
	for _, o := range c.origins {
		if o.tree != nil {
			o.tree.makeEager(p.slot)
		}
	}
	c.speakUp(now, p)
	if c.mendedLately(now, &c.shared) {
		c.tellNow(now, p)
		c.graftTree(p, Graft{})
	}
	if c.cfg.Self.Compare(node) < 0 {
		p.fresh = true
		if soon := now.Add(2 * c.cfg.Lazy); soon.Before(c.exchangeAt) {
			c.exchangeAt = soon
		}
	}
}

// freeSlot returns the least slot that no neighbor has.
func (c *Core) freeSlot() int {
	var used tree
	for _, p := range c.peers {
		used.makeLazy(p.slot)
	}
	for slot := 0; ; slot++ {
		if !used.isLazy(slot) {
			return slot
		}
	}
}

// neighborDown forgets the neighbor and what it has announced, and finds n others in
// its place.
func (c *Core) neighborDown(now time.Time, node overlay.Node, n int) {
	i, ok := c.find(node)
	if !ok {
		return
	}
	p := c.peers[i]
	p.gone, p.announce = true, nil
	c.peers = slices.Delete(c.peers, i, i+1)
	for _, m := range c.timers {
		m.drop(p)
	}
	c.mend(now, p, n)
	if !slices.ContainsFunc(c.peers, func(p *peer) bool { return p.announce != nil }) {
		c.flushAt = time.Time{}
	}
}

func (c *Core) nodes(want func(*peer) bool) []overlay.Node {
	var nodes []overlay.Node
	for _, p := range c.peers {
		if want(p) {
			nodes = append(nodes, p.node)
		}
	}
	return nodes
}
