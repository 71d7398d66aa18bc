package clientserver

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
		c.hear(now, p, m.Claims)
		c.asked(now, p)
	case Agree:
		c.hear(now, p, m.Claims)
		switch p.state {
		case asking:
			c.agreed(now, p)
		case stranger: // too late
			c.part(now, p, broken)
		}
	case Refuse:
		c.hear(now, p, m.Claims)
		if p.state != stranger {
			c.close(p)
			c.tryLater(now, p.node, refused)
		}
	case News:
		c.hear(now, p, m.Claims)
		switch p.state {
		case stranger: // it takes itself for a neighbor
			c.send(p, Part{})
		case asking: // its Agree was lost
			c.agreed(now, p)
		}
	case Part:
		c.close(p)
		c.tryLater(now, p.node, refused)
	case Leave:
		c.bury(now, p.node, c.cfg.Forget, true)
	}
}

// patience is how long a neighbor may be silent.
func (c *Core) patience() time.Duration { return c.cfg.Interval * time.Duration(c.cfg.Misses) }

func (c *Core) ask(now time.Time, p *peer) {
	p.state, p.due = asking, now.Add(c.cfg.Timeout)
	p.asks++
	c.send(p, Ask{Claims: c.known()})
}

// asked answers a request. If this node is asking the same at that moment, each
// takes the other's request for agreement.
func (c *Core) asked(now time.Time, p *peer) {
	_, clients := c.count()
	busy := p.state != neighbor && !c.serves(p.node) && clients >= c.cfg.MaxClients
	if c.serving && !busy {
		if p.state != neighbor {
			c.agree(now, p)
		}
		c.send(p, Agree{Claims: c.known()})
		return
	}
	// That ends what this side may have asked for, too.
	c.send(p, Refuse{Busy: c.serving, Claims: c.known()})
	if p.state == neighbor || !p.accepted {
		c.close(p)
		return
	}
	p.state, p.due = stranger, now.Add(c.cfg.Linger)
}

// agreed takes p's word that it is a server, if it has also claimed to be one, or if
// this node is one.
func (c *Core) agreed(now time.Time, p *peer) {
	if c.serving || c.serves(p.node) {
		c.agree(now, p)
	} else {
		c.part(now, p, refused)
	}
}

// agree takes p among the neighbors.
func (c *Core) agree(now time.Time, p *peer) {
	p.state, p.asks, p.due = neighbor, 0, now.Add(c.patience())
	c.succeeded(p.node)
	c.neighborUp(p)
}
