package gossip

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// received takes a message that came over a link.
func (c *Core) received(now time.Time, p *peer, m overlay.Message) {
	if p.state == neighbor {
		p.due = now.Add(c.patience())
	}
	switch m := m.(type) {
	case Ask:
		c.asked(now, p, m.Urgent)
	case Agree:
		c.hear(m.Nodes)
		switch {
		case p.state == asking && (p.urgent || c.count() < 2*c.Fanout()):
			c.agree(now, p)
		case p.state != neighbor: // too late, or too many have come meanwhile
			c.part(now, p)
		}
	case Refuse:
		c.hear(m.Nodes)
		if p.state != stranger {
			c.close(p)
			c.tryLater(now, p.node, false)
		}
	case Part:
		c.close(p)
		c.tryLater(now, p.node, false)
	case Sample:
		c.hear(m.Nodes)
		switch p.state {
		case stranger:
			c.send(p, Part{})
		case asking: // its Agree was lost
			c.agree(now, p)
		}
	case Leave:
		c.close(p)
		c.fade(now, p.node, true)
	}
}

// patience is how long a neighbor may be silent.
func (c *Core) patience() time.Duration { return c.cfg.Refresh * time.Duration(c.cfg.Misses) }

func (c *Core) ask(now time.Time, p *peer) {
	p.state, p.due = asking, now.Add(c.cfg.Timeout)
	p.asks++
	p.urgent = c.count() == 0
	c.send(p, Ask{Urgent: p.urgent})
}

// asked answers a request. If this node is asking the same at that moment, each
// takes the other's request for agreement.
func (c *Core) asked(now time.Time, p *peer, urgent bool) {
	if p.state != neighbor {
		full := c.count() >= 2*c.Fanout()
		if full && !urgent {
			// That ends what this side may have asked for, too.
			c.send(p, Refuse{Nodes: c.sample(p)})
			p.state, p.swap, p.due = stranger, false, now.Add(c.cfg.Linger)
			if !p.accepted {
				c.close(p)
			}
			return
		}
		for full && c.count() >= 2*c.Fanout() {
			c.part(now, c.randomNeighbor(nil))
		}
		c.agree(now, p)
	}
	c.send(p, Agree{Nodes: c.sample(p)})
}

// agree takes p among the neighbors, if that was the purpose for another.
func (c *Core) agree(now time.Time, p *peer) {
	swap := p.swap
	p.state, p.swap, p.asks, p.due = neighbor, false, 0, now.Add(c.patience())
	c.retries = 0
	c.succeeded(p.node)
	c.emit(overlay.NeighborUp{Node: p.node})
	fanout := c.Fanout()
	if swap && c.count() > fanout {
		c.part(now, c.randomNeighbor(p))
	}
	if n := c.count(); n > 2*fanout || swap && n > fanout+fanout/2 {
		c.part(now, c.randomNeighbor(p))
	}
}

// part ends what is between p and this node, tells it so and closes the link.
func (c *Core) part(now time.Time, p *peer) {
	c.send(p, Part{})
	c.close(p)
	c.tryLater(now, p.node, false)
}

// randomNeighbor returns a neighbor other than one; nil if there is none.
func (c *Core) randomNeighbor(not *peer) *peer {
	var picked *peer
	n := 0
	for _, p := range c.peers {
		if p.state != neighbor || p == not {
			continue
		}
		n++
		if c.cfg.Rand.IntN(n) == 0 {
			picked = p
		}
	}
	return picked
}

// sample returns some random neighbors other than p. They are linked, so that
// nobody who is dead for long goes round.
func (c *Core) sample(p *peer) []overlay.Node {
	var nodes []overlay.Node
	for _, q := range c.peers {
		if q.state == neighbor && q != p {
			nodes = append(nodes, q.node)
		}
	}
	c.cfg.Rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes[:min(len(nodes), c.cfg.Sample)]
}

// hear learns what others say.
func (c *Core) hear(nodes []overlay.Node) {
	for _, n := range nodes[:min(len(nodes), c.cfg.Sample)] {
		c.learn(n, false)
	}
}
