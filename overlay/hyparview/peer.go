package hyparview

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// peer is a node to which there is a link, or for which one is being made.
type peer struct {
	node     overlay.Node
	due      time.Duration // when its wait is over: see expire
	mine     uint32        // this side's number of the relation
	theirs   uint32        // the other side's
	state    state
	ask      ask  // what for, once there is a link
	linked   bool // as against being dialled
	accepted bool // the other side has dialled
	alive    bool // a dial has failed, but only because the other side dials
}

// state is what the two nodes are to each other, as far as this one knows.
type state uint8

const (
	stranger state = iota // nothing; it may be being dialled
	asking                // a request is on its way, or its answer
	neighbor              // agreed: in the active view
)

// ask is what is wanted of a peer.
type ask uint8

const (
	nothing     ask = iota
	askPromote      // to be a neighbor; the priority is decided when asking
	askLow          // that, with low priority
	askHigh         // that, with high priority
	askJoin         // to be let into the cluster
	askOptimize     // X-BOT: i of c
	askSwitch       // X-BOT: d of o
)

// fills reports whether what is asked will take a free slot.
func (a ask) fills() bool { return a >= askPromote && a <= askJoin }

// insists reports whether what is asked makes room for itself.
func (a ask) insists() bool { return a >= askHigh }

func (c *Core) peer(node overlay.Node) *peer {
	for _, p := range c.peers {
		if p.node == node {
			return p
		}
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

// count returns how many peers are in state s.
func (c *Core) count(s state) int {
	n := 0
	for _, p := range c.peers {
		if p.state == s {
			n++
		}
	}
	return n
}

// dial begins to make a link to node. It returns nil if there are too many
// links, or node cannot be dialled.
func (c *Core) dial(node overlay.Node) *peer {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.named(node.Name) != nil || c.crowded() {
		return nil
	}
	p := &peer{node: node, due: c.now + c.cfg.DialTimeout}
	c.peers = append(c.peers, p)
	c.emit(overlay.Dial{Node: node})
	return p
}

// crowded reports whether there are as many peers as there may be.
func (c *Core) crowded() bool { return len(c.peers) >= c.cfg.ActiveSize+c.cfg.MaxLinks }

// linkUp takes over a link to a node that has proven itself.
func (c *Core) linkUp(ev overlay.LinkUp) {
	node := ev.Node
	p := c.named(node.Name)
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.Outdated(node) != nil {
		c.emit(overlay.Disconnect{Node: node})
		return
	}
	if p != nil && p.node != node { // it has started again, or it never was what others said
		if p.linked {
			c.emit(overlay.Disconnect{Node: p.node})
		}
		c.discard(p)
		p = nil
	}
	c.correct(node)
	if p == nil {
		if c.crowded() {
			c.emit(overlay.Disconnect{Node: node})
			return
		}
		p = &peer{node: node}
		c.peers = append(c.peers, p)
	}
	p.accepted = ev.Accepted
	if p.linked {
		// Another link instead of the first: what was sent last may be lost.
		switch p.state {
		case asking:
			c.sendRequest(p)
		case neighbor:
			c.send(p, Alive{Of: p.theirs, Number: p.mine})
		}
	} else {
		p.linked = true
		c.runErrands(p)
		if p.ask != nothing {
			c.request(p)
		}
	}
	c.settle(p)
}

// linkDown is HyParView's failure detector: a neighbor whose link breaks is one
// no more. It may be only the connection that is broken, so a node that knows
// few others keeps it as a candidate.
func (c *Core) linkDown(node overlay.Node) {
	p := c.peer(node)
	if p == nil || !p.linked {
		return
	}
	was := p.state
	c.discard(p)
	if was == neighbor && len(c.passive) < c.cfg.PassiveSize && c.learn(node, nil) {
		c.emit(overlay.Probe{Addr: node.Addr()})
	}
}

func (c *Core) dialFailed(ev overlay.DialFailed) {
	p := c.peer(ev.Node)
	switch {
	case p == nil || p.linked:
	case ev.Alive:
		p.alive, p.due = true, c.now+c.cfg.Timeout
	default:
		c.unreachable(ev.Node)
		c.discard(p)
	}
}

// lost treats a node as gone: what it was to this one, it is no more. It may
// become it again.
func (c *Core) lost(node overlay.Node) {
	c.removePassive(node)
	if p := c.peer(node); p != nil {
		if p.linked {
			c.emit(overlay.Disconnect{Node: node})
		}
		c.discard(p)
	}
}

// expire ends a wait.
func (c *Core) expire(p *peer) {
	switch {
	case !p.linked:
		if !p.alive {
			c.unreachable(p.node)
		}
		c.discard(p)
	case p.state == stranger && c.needed(p.node):
		p.due = c.now + c.cfg.Linger
	case p.state == stranger:
		c.close(p)
	default: // no answer, or no sign of life
		c.giveUp(p)
	}
}

// giveUp ends the relation with a node that does not answer. It is no candidate
// any more.
func (c *Core) giveUp(p *peer) {
	c.removePassive(p.node)
	c.send(p, Disconnect{Of: p.theirs, Number: p.mine})
	c.close(p)
}

// settle closes the link to p if it serves nothing: at once if this side has
// made it, after Linger if not, for then the other side does.
func (c *Core) settle(p *peer) {
	switch {
	case !p.linked || p.state != stranger:
	case p.accepted || c.needed(p.node):
		p.due = c.now + c.cfg.Linger
	default:
		c.close(p)
	}
}

// close closes the link to p after what was sent to it.
func (c *Core) close(p *peer) {
	c.emit(overlay.Disconnect{Node: p.node})
	c.discard(p)
}

// discard forgets a peer whose link is gone, or never came.
func (c *Core) discard(p *peer) {
	i := slices.Index(c.peers, p)
	if i < 0 {
		return
	}
	c.peers = slices.Delete(c.peers, i, i+1)
	c.errands = slices.DeleteFunc(c.errands, func(e errand) bool { return e.to == p.node })
	if len(c.errands) == 0 {
		c.errands = nil
	}
	if p.ask == askJoin {
		c.seeds.again(c.now + c.jitter(c.cfg.Retry))
	}
	c.end(p)
	p.linked = false
	c.vanished(p.node)
}

func (c *Core) send(p *peer, m overlay.Message) {
	c.emit(overlay.Send{To: p.node, Message: m})
}

// post sends m to node, over a link that is made for it if there is none, and
// closed again.
func (c *Core) post(node overlay.Node, m overlay.Message) {
	p := c.peer(node)
	if p != nil && p.linked {
		c.send(p, m)
		return
	}
	if len(c.errands) >= maxErrands || p == nil && c.dial(node) == nil {
		return
	}
	c.errands = append(c.errands, errand{node, m})
}

// runErrands sends what has waited for the link to p.
func (c *Core) runErrands(p *peer) {
	var rest []errand
	for _, e := range c.errands {
		if e.to == p.node {
			c.send(p, e.message)
		} else {
			rest = append(rest, e)
		}
	}
	c.errands = rest
}
