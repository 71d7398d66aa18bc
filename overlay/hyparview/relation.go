package hyparview

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// received takes a message that came over a link. What it may do depends on who
// says it: only a neighbor can make this node contact third ones.
func (c *Core) received(p *peer, m overlay.Message) {
	if p.state == neighbor {
		p.due = c.now + c.patience()
	}
	switch m := m.(type) {
	case Join:
		c.joined(p, m)
	case ForwardJoin:
		c.forwardJoin(p, m)
	case Neighbor:
		c.asked(p, m.Number, m.High)
	case NeighborReply:
		c.answered(p, m)
	case Disconnect:
		c.disconnected(p, m)
	case Alive:
		c.asserted(p, m)
	case Leave:
		c.leaves(p)
	case Shuffle:
		c.shuffled(p, m)
	case ShuffleReply:
		c.shuffleAnswered(m)
	default:
		c.receivedXBot(p, m)
	}
	c.settle(p)
}

// patience is how long a neighbor may be silent.
func (c *Core) patience() time.Duration { return c.cfg.ShuffleInterval * time.Duration(c.cfg.Misses) }

// want asks node for something, over a link that is made if there is none. It
// returns nil if that cannot be done, or node is a neighbor, or asked already.
func (c *Core) want(node overlay.Node, a ask) *peer {
	p := c.peer(node)
	if p == nil {
		p = c.dial(node)
	}
	if p == nil || p.state != stranger || p.ask != nothing {
		return nil
	}
	p.ask = a
	if p.linked {
		c.request(p)
	}
	return p
}

// request asks p, to which there is a link now, for what is wanted of it.
func (c *Core) request(p *peer) {
	if p.ask == askPromote {
		p.ask = askLow
		if c.alone() {
			p.ask = askHigh
		}
	}
	p.state, p.mine, p.theirs, p.due = asking, c.next(), 0, c.now+c.cfg.Timeout
	if p.ask == askOptimize || p.ask == askSwitch {
		p.due = c.xbot.exchange.due
	}
	c.sendRequest(p)
}

// alone reports whether there is neither a neighbor nor one who cannot refuse:
// then, and only then, a request has high priority (section 4.3).
func (c *Core) alone() bool {
	for _, p := range c.peers {
		if p.state == neighbor || p.state == asking && p.ask.insists() {
			return false
		}
	}
	return true
}

func (c *Core) sendRequest(p *peer) {
	switch p.ask {
	case askJoin:
		c.send(p, Join{Number: p.mine})
	case askOptimize:
		c.send(p, Optimization{Number: p.mine, Old: c.xbot.exchange.old})
	case askSwitch:
		c.send(p, Switch{Number: p.mine, Initiator: c.xbot.exchange.initiator})
	default:
		c.send(p, Neighbor{Number: p.mine, High: p.ask == askHigh})
	}
}

// asked answers a request to be p's neighbor. If this node is asking the same of
// p at that moment, the two agree without waiting for answers: each takes the
// other's number from its request.
func (c *Core) asked(p *peer, number uint32, high bool) {
	switch {
	case number == 0:
		return
	case p.state == neighbor && p.theirs == number: // the answer may be lost
	case p.state == neighbor: // it has forgotten the earlier relation
		c.end(p)
		c.agree(p, number)
	case !high && !(p.state == asking && p.ask.insists()) && c.taken() >= c.cfg.ActiveSize:
		c.send(p, NeighborReply{Of: number})
		if p.state == asking {
			c.refused(p) // that answer ends what p makes of this node's request, too
		}
		c.learn(p.node, nil)
		return
	default:
		c.agree(p, number)
	}
	c.send(p, NeighborReply{Of: number, Number: p.mine, Accepted: true})
}

// answered takes the answer to a request.
func (c *Core) answered(p *peer, m NeighborReply) {
	switch {
	case m.Of == 0:
	case m.Of != p.mine:
		if m.Accepted && (p.state != neighbor || p.theirs != m.Number) {
			c.send(p, Disconnect{Of: m.Number}) // too late
		}
	case !m.Accepted && p.state == neighbor:
		c.end(p)
		c.learn(p.node, nil)
	case !m.Accepted:
		c.refused(p)
	case p.state == neighbor:
		p.theirs = m.Number
	case p.ask == askLow && c.taken() >= c.cfg.ActiveSize: // the slot is taken meanwhile
		c.part(p, false)
	default:
		c.agree(p, m.Number)
	}
}

// refused ends a request that was refused. Whoever refused stays a candidate.
func (c *Core) refused(p *peer) {
	c.refusals++
	if p.ask == askJoin {
		c.seeds.again(c.now + c.jitter(c.cfg.Retry))
	}
	c.end(p)
	c.vanished(p.node)
}

// disconnected ends a relation that the other side has ended, and puts it into
// the passive view. If the other side had a part in the relation, it closes the
// link, and nothing must be sent over that any more; if it only denies that
// there is one, the link stays.
func (c *Core) disconnected(p *peer, m Disconnect) {
	if p.state == stranger || !(m.Of != 0 && m.Of == p.mine || m.Number != 0 && m.Number == p.theirs) {
		return
	}
	if p.state == asking {
		c.refused(p)
	} else {
		if m.Wait && c.xbot != nil {
			c.reserve(p.node)
		}
		c.end(p)
		c.learn(p.node, nil)
	}
	if m.Number != 0 {
		c.close(p)
	}
}

// asserted compares what p says with what this node knows. That is how two
// nodes become of one mind after messages were lost.
func (c *Core) asserted(p *peer, m Alive) {
	ofMine := m.Of != 0 && m.Of == p.mine
	switch {
	case m.Number == 0:
	case p.state == neighbor && p.theirs == m.Number && ofMine:
	case p.state == neighbor && ofMine:
		p.theirs = m.Number
	case p.state == asking && ofMine: // its answer was lost
		c.agree(p, m.Number)
	default:
		c.send(p, Disconnect{Of: m.Number})
	}
}

// reassure tells every neighbor that it is one.
func (c *Core) reassure() {
	for _, p := range c.peers {
		if p.state == neighbor {
			c.send(p, Alive{Of: p.theirs, Number: p.mine})
		}
	}
}

// agree takes p into the active view, in place of another if that is full.
func (c *Core) agree(p *peer, number uint32) {
	if p.mine == 0 {
		p.mine = c.next()
	}
	p.theirs = number
	if p.ask == askJoin {
		c.seeds.joined()
	}
	if c.count(neighbor) >= c.cfg.ActiveSize {
		c.part(c.randomNeighbor(overlay.Node{}, overlay.Node{}), false)
	}
	p.state, p.ask, p.due = neighbor, nothing, c.now+c.patience()
	c.correct(p.node)
	c.removePassive(p.node)
	c.emit(overlay.NeighborUp{Node: p.node})
	c.bound(p)
}

// end takes p out of the active view, or ends what it was asked for.
func (c *Core) end(p *peer) {
	if p.state == neighbor {
		c.emit(overlay.NeighborDown{Node: p.node})
		c.tried, c.refusals, c.retries, c.retryAt = 0, 0, 0, 0 // others may have lost one too
	}
	p.state, p.ask, p.mine, p.theirs = stranger, nothing, 0, 0
}

// part ends the relation with p, tells it so and closes the link: the one who
// ends a relation is also the one who closes its link. p stays a candidate.
func (c *Core) part(p *peer, wait bool) {
	c.send(p, Disconnect{Of: p.theirs, Number: p.mine, Wait: wait})
	c.end(p)
	c.close(p)
	c.learn(p.node, nil)
}

// randomNeighbor returns a neighbor other than two nodes; nil if there is none.
func (c *Core) randomNeighbor(not, nor overlay.Node) *peer {
	var picked *peer
	n := 0
	for _, p := range c.peers {
		if p.state != neighbor || p.node == not || p.node == nor {
			continue
		}
		n++
		if c.cfg.Rand.IntN(n) == 0 {
			picked = p
		}
	}
	return picked
}

// taken returns how many slots of the active view are taken or reserved.
func (c *Core) taken() int {
	n := c.count(neighbor)
	if c.slotReserved() {
		n++
	}
	return n
}
