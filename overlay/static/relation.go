package static

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// linkUp takes over a link to a node that has proven itself.
func (c *Core) linkUp(now time.Time, node overlay.Node) {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.Outdated(node) != nil {
		c.emit(overlay.Disconnect{Node: node})
		return
	}
	p := c.of(node)
	if p == nil {
		c.linkGuest(now, node)
		return
	}
	if p.phase.linked() && p.node != node { // it has started again
		c.emit(overlay.Disconnect{Node: p.node})
		c.down(p)
	}
	p.node = node
	switch {
	case p.phase == neighbor && !p.guest():
		// Another link instead of the first. The other side may have seen that
		// one end, and then it has to be asked again.
		c.send(p, Ask{})
	case p.phase.linked() && p.guest():
	default:
		p.since, p.asks = now, 0
		c.ask(now, p)
	}
}

// linkGuest waits for a node that is not configured to ask, or refuses it.
func (c *Core) linkGuest(now time.Time, node overlay.Node) {
	if c.cfg.Accept != Anyone || len(c.peers)-c.listed() >= c.cfg.MaxGuests {
		c.emit(overlay.Send{To: node, Message: Refuse{}})
		c.emit(overlay.Disconnect{Node: node})
		return
	}
	c.peers = append(c.peers, &peer{node: node, phase: asking, since: now, due: now.Add(c.cfg.Timeout)})
}

func (c *Core) ask(now time.Time, p *peer) {
	p.phase, p.due = asking, now.Add(c.cfg.Timeout)
	if !p.guest() {
		p.asks++
		c.send(p, Ask{})
	}
}

func (c *Core) received(now time.Time, p *peer, m overlay.Message) {
	switch m.(type) {
	case Ask:
		c.up(p)
		c.send(p, Agree{})
	case Agree:
		if !p.guest() {
			c.up(p)
		}
	case Refuse:
		if !p.guest() {
			p.attempts = slowest // it is not going to change its mind soon
			p.since = now
			c.close(now, p)
		}
	case Leave:
		p.gone, p.attempts = p.node, slowest
		p.since = now
		c.close(now, p)
	}
}

// slowest is a number of attempts after which every wait is the longest.
const slowest = 20

// up takes p among the neighbors.
func (c *Core) up(p *peer) {
	if p.phase != neighbor {
		p.phase, p.due = neighbor, time.Time{}
		c.emit(overlay.NeighborUp{Node: p.node})
	}
}

// down takes p out of the neighbors. Its link is gone, or closed.
func (c *Core) down(p *peer) {
	if p.phase == neighbor {
		c.emit(overlay.NeighborDown{Node: p.node})
	}
	p.phase = waiting
}

// close closes the link to p.
func (c *Core) close(now time.Time, p *peer) {
	c.emit(overlay.Disconnect{Node: p.node})
	c.linkDown(now, p)
}

// linkDown tries p again: at once if the link has lasted, after a wait if it
// broke soon, or never served anything.
func (c *Core) linkDown(now time.Time, p *peer) {
	agreed := p.phase == neighbor
	c.down(p)
	if p.guest() || !agreed || now.Sub(p.since) < c.cfg.RedialMax {
		c.later(now, p)
		return
	}
	p.attempts = 0
	c.probe(now, p)
}
