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
	nodes := make([]overlay.Node, 1, c.maxShuffled())
	nodes[0] = c.cfg.Self
	active := c.Active()
	active = slices.DeleteFunc(active, func(n overlay.Node) bool { return n == to })
	nodes = c.sample(nodes, active, c.cfg.ShuffleActive, to)
	known := len(nodes)
	nodes = c.sample(nodes, c.passive, c.cfg.ShufflePassive, to)
	c.sent, c.shuffle = slices.Clone(nodes[known:]), c.next()
	return Shuffle{Origin: c.cfg.Self, Number: c.shuffle, TTL: c.cfg.ARWL, Nodes: nodes}
}

// maxShuffled is how many nodes a shuffle has, and how many are taken out of
// one: all nodes of a cluster are configured alike.
func (c *Core) maxShuffled() int { return 1 + c.cfg.ShuffleActive + c.cfg.ShufflePassive }

// sample appends up to k random nodes of list, other than not, to nodes. Every
// choice of k is equally likely.
func (c *Core) sample(nodes, list []overlay.Node, k int, not overlay.Node) []overlay.Node {
	from, seen := len(nodes), 0
	for _, node := range list {
		if node.Name == not.Name {
			continue
		}
		seen++
		if len(nodes) < from+k {
			nodes = append(nodes, node)
		} else if i := c.cfg.Rand.IntN(seen); i < k {
			nodes[from+i] = node
		}
	}
	return nodes
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
	answer := c.sample(nil, c.passive, len(nodes), m.Origin)
	if len(answer) > 0 {
		c.post(m.Origin, ShuffleReply{Number: m.Number, Nodes: answer})
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
func (c *Core) integrate(nodes, sent []overlay.Node) {
	for _, node := range nodes {
		c.learn(node, sent)
	}
}
