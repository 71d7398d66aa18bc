package clientserver

import (
	"slices"
	"strings"
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

func (c *Core) peerAt(name string) (int, bool) {
	return slices.BinarySearchFunc(c.peers, name, func(p *peer, name string) int { return strings.Compare(p.node.Name, name) })
}

// named returns the peer of that name, whatever its incarnation.
func (c *Core) named(name string) *peer {
	if i, ok := c.peerAt(name); ok {
		return c.peers[i]
	}
	return nil
}

func (c *Core) peer(node overlay.Node) *peer {
	if p := c.named(node.Name); p != nil && p.node == node {
		return p
	}
	return nil
}

func (c *Core) addPeer(p *peer) {
	i, _ := c.peerAt(p.node.Name)
	c.peers = slices.Insert(c.peers, i, p)
}

// count returns how many neighbors there are that serve, and that do not.
func (c *Core) count() (servers, clients int) {
	for _, p := range c.peers {
		if p.state != neighbor {
			continue
		}
		if c.serves(p.node) {
			servers++
		} else {
			clients++
		}
	}
	return servers, clients
}

// crowded reports whether there are as many links as there may be that are no
// neighbors'.
func (c *Core) crowded() bool {
	servers, clients := c.count()
	return len(c.peers)-servers-clients >= c.cfg.MaxLinks
}

// want asks node to be a neighbor, over a link that is made if there is none.
func (c *Core) want(now time.Time, node overlay.Node) {
	p := c.named(node.Name)
	if p == nil && !c.crowded() {
		c.addPeer(&peer{node: node, due: now.Add(c.cfg.DialTimeout)})
		c.emit(overlay.Dial{Node: node})
	} else if p != nil && p.node == node && p.state == stranger {
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
		c.addPeer(p)
	}
	c.learn(node, true)
	if m := c.member(node.Name); m != nil {
		m.attempts = 0
	}
	p.accepted = ev.Accepted
	switch {
	case p.state == neighbor && (!c.serving || c.serves(p.node)):
		// Another link instead of the first. The other side may have seen that
		// one end, and then it has to be asked again.
		c.send(p, Ask{Claims: c.known()})
	case p.state == neighbor: // a client asks for itself
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
		c.tryLater(now, p.node, failed)
	}
}

// expire ends a wait.
func (c *Core) expire(now time.Time, p *peer) {
	switch {
	case p.state == asking && p.asks < maxAsks:
		c.ask(now, p)
	case p.state == stranger:
		c.close(p)
	default: // no answer, or no sign of life
		c.part(now, p, failed)
	}
}

// part ends what is between p and this node, tells it so and closes the link.
func (c *Core) part(now time.Time, p *peer, why outcome) {
	if p.linked() {
		c.send(p, Part{})
	}
	c.close(p)
	c.tryLater(now, p.node, why)
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
	}
	if i, ok := c.peerAt(p.node.Name); ok {
		c.peers = slices.Delete(c.peers, i, i+1)
	}
}
