package gossip

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// peer is a node to which there is a link, or for which one is being made.
type peer struct {
	node     overlay.Node
	state    state
	due      time.Time // when its wait is over: see expire
	asks     int       // over this link
	accepted bool      // the other side has dialled
	swap     bool      // another is dropped for it, as soon as it agrees
	urgent   bool      // it was asked urgently
	alive    bool      // a dial has failed, but only because the other side dials
}

// state is what the two nodes are to each other, as far as this one knows.
type state uint8

const (
	dialing  state = iota // there is no link yet
	stranger              // a link that serves nothing
	asking                // a request is on its way, or its answer
	neighbor              // agreed
)

// maxAsks is how often a node is asked over one link that does not break.
const maxAsks = 3

func (p *peer) linked() bool { return p.state != dialing }

func (c *Core) peer(node overlay.Node) *peer {
	if p := c.named(node.Name); p != nil && p.node == node {
		return p
	}
	return nil
}

// named returns the peer of that name, whatever its incarnation.
func (c *Core) named(name string) *peer {
	for _, p := range c.peers {
		if p.node.Name == name {
			return p
		}
	}
	return nil
}

// count returns how many neighbors there are.
func (c *Core) count() int {
	n := 0
	for _, p := range c.peers {
		if p.state == neighbor {
			n++
		}
	}
	return n
}

// crowded reports whether there are as many peers as there may be.
func (c *Core) crowded() bool { return len(c.peers) >= 2*c.cfg.MaxFanout+c.cfg.MaxLinks }

// want asks node to be a neighbor, over a link that is made if there is none.
func (c *Core) want(now time.Time, node overlay.Node, swap bool) {
	p := c.named(node.Name)
	if p == nil && !c.crowded() && node.Valid() == nil && node.Name != c.cfg.Self.Name {
		p = &peer{node: node, swap: swap, due: now.Add(c.cfg.DialTimeout)}
		c.peers = append(c.peers, p)
		c.emit(overlay.Dial{Node: node})
	} else if p != nil && p.node == node && p.state == stranger {
		p.swap = swap
		c.ask(now, p)
	}
}

// linkUp takes over a link to a node that has proven itself.
func (c *Core) linkUp(now time.Time, ev overlay.LinkUp) {
	node := ev.Node
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.Outdated(node) != nil {
		c.emit(overlay.Disconnect{Node: node})
		return
	}
	p := c.named(node.Name)
	if p != nil && p.node != node { // it has started again, or it never was what others said
		c.close(p)
		p = nil
	}
	if p == nil {
		if c.crowded() {
			c.emit(overlay.Disconnect{Node: node})
			return
		}
		p = &peer{node: node, state: stranger, due: now.Add(c.cfg.Linger)}
		c.peers = append(c.peers, p)
	}
	c.learn(node, true)
	p.accepted = ev.Accepted
	switch {
	case p.state == neighbor:
		// Another link instead of the first. The other side may have seen that
		// one end, and then it has to be asked again.
		c.send(p, Ask{})
	case p.state == dialing, p.state == asking:
		p.asks = 0
		c.ask(now, p)
	case !p.accepted:
		c.close(p) // nobody wants it any more
	}
}

func (c *Core) dialFailed(now time.Time, ev overlay.DialFailed) {
	p := c.peer(ev.Node)
	switch {
	case p == nil || p.linked():
	case ev.Alive && !p.alive:
		p.alive, p.due = true, now.Add(c.cfg.Timeout)
	default:
		c.discard(p)
		c.tryLater(now, ev.Node, true)
	}
}

// expire ends a wait.
func (c *Core) expire(now time.Time, p *peer) {
	switch {
	case p.state == asking && p.asks < maxAsks:
		c.ask(now, p)
		return
	case p.state == neighbor: // it hangs
		c.send(p, Part{})
	}
	c.close(p)
	c.tryLater(now, p.node, p.state != stranger)
}

// close closes the link to p after what was sent to it.
func (c *Core) close(p *peer) {
	if p.linked() {
		c.emit(overlay.Disconnect{Node: p.node})
	}
	c.discard(p)
}

// discard forgets a peer whose link is gone, or never came.
func (c *Core) discard(p *peer) {
	if p.state == neighbor {
		c.emit(overlay.NeighborDown{Node: p.node})
		c.retryAt = time.Time{} // others may have lost one too
	}
	c.peers = slices.DeleteFunc(c.peers, func(q *peer) bool { return q == p })
}
