package hyparview

import (
	"slices"

	"github.com/topos-go/topos/overlay"
)

// startShuffle sends a sample of both views on a random walk (section 4.4).
func (c *Core) startShuffle() {
	if p := c.randomNeighbor(overlay.Node{}, overlay.Node{}); p != nil {
		c.send(p, c.newShuffle(p.node))
	}
}

// newShuffle returns a shuffle that begins with to, and notes what goes into
// it. Only its own answer is taken, and only the answer to the last.
func (c *Core) newShuffle(to overlay.Node) Shuffle {
	active := make([]known, 0, c.cfg.ActiveSize)
	for _, p := range c.peers {
		if p.state == neighbor {
			active = append(active, &p.node)
		}
	}
	c.sent, c.shuffle = c.sample(c.offered(), c.cfg.ShufflePassive, to), c.next()
	nodes := make([]overlay.Node, 1, c.maxShuffled())
	nodes[0] = c.cfg.Self
	nodes = values(nodes, c.sample(active, c.cfg.ShuffleActive, to))
	return Shuffle{Origin: c.cfg.Self, Number: c.shuffle, TTL: c.cfg.ARWL, Nodes: values(nodes, c.sent)}
}

// values appends the nodes that are meant to nodes.
func values(nodes []overlay.Node, list []known) []overlay.Node {
	for _, k := range list {
		nodes = append(nodes, *k)
	}
	return nodes
}

// maxShuffled is how many nodes a shuffle has, and how many are taken out of
// one: all nodes of a cluster are configured alike.
func (c *Core) maxShuffled() int { return 1 + c.cfg.ShuffleActive + c.cfg.ShufflePassive }

// offered returns the nodes of the passive view that may go into a shuffle or
// its answer: those that have answered when they were checked last, or all if
// none ever is. Were the others handed on too, each dead one would be learned
// anew as fast as it is found out.
func (c *Core) offered() []known {
	if c.cfg.Checks < 0 {
		return c.passive
	}
	c.fresh = slices.DeleteFunc(c.fresh, func(k known) bool { return index(c.passive, *k) < 0 })
	return c.fresh
}

// checked notes that a node of the passive view is there. The latest are kept,
// as many as go into an answer.
func (c *Core) checked(node overlay.Node) {
	i := index(c.passive, node)
	if c.cfg.Checks < 0 || i < 0 || index(c.fresh, node) >= 0 {
		return
	}
	if len(c.fresh) >= c.maxShuffled() {
		c.fresh = slices.Delete(c.fresh, 0, 1)
	}
	c.fresh = append(c.fresh, c.passive[i])
}

// sample returns up to k random nodes of list, other than not. Every choice of k
// is equally likely.
func (c *Core) sample(list []known, k int, not overlay.Node) []known {
	picked, seen := make([]known, 0, min(k, len(list))), 0
	for _, one := range list {
		if one.Name == not.Name {
			continue
		}
		seen++
		if len(picked) < k {
			picked = append(picked, one)
		} else if i := c.cfg.Rand.IntN(seen); i < k {
			picked[i] = one
		}
	}
	return picked
}

// shuffled is one step of a shuffle's walk. Where it ends, the answer goes to
// the origin, over a link that is made for it if need be. A stranger can only
// shuffle for itself, so that it cannot have this node dial others.
func (c *Core) shuffled(p *peer, m Shuffle) {
	if m.Origin.Valid() != nil || p.state != neighbor && m.Origin != p.node {
		return
	}
	nodes := m.Nodes[:min(len(m.Nodes), c.maxShuffled())]
	if ttl := min(m.TTL, c.cfg.ARWL) - 1; ttl > 0 {
		if to := c.randomNeighbor(p.node, m.Origin); to != nil {
			c.send(to, Shuffle{Origin: m.Origin, Number: m.Number, TTL: ttl, Nodes: nodes})
			return
		}
	}
	if m.Origin.Name == c.cfg.Self.Name || c.departed(m.Origin, false) {
		return // it has come round, or nobody waits for an answer
	}
	answer := c.sample(c.offered(), len(nodes), m.Origin)
	if len(answer) > 0 {
		c.post(m.Origin, ShuffleReply{Number: m.Number, Nodes: values(nil, answer)})
	}
	c.integrate(nodes, answer)
}

// shuffleAnswered takes the answer to this node's last shuffle.
func (c *Core) shuffleAnswered(m ShuffleReply) {
	if m.Number == 0 || m.Number != c.shuffle {
		return
	}
	sent := c.sent
	c.shuffle, c.sent = 0, nil
	c.integrate(m.Nodes[:min(len(m.Nodes), c.maxShuffled())], sent)
}

// integrate takes nodes into the passive view. What the other side has been
// sent goes first, as it is not lost that way.
func (c *Core) integrate(nodes []overlay.Node, sent []known) {
	for _, node := range nodes {
		c.learn(node, sent)
	}
}
