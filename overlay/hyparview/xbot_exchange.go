package hyparview

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// exchange is a node's part in one exchange of X-BOT. A node takes part in one
// at a time, so that exchanges cannot wait for each other, and waits longer
// than those it has set to work, so that a late answer is a rare one:
//
//	i  scanning     1 Timeout   for costs of candidates
//	i  initiator    4 Timeouts  for c's answer
//	c  candidate    3 Timeouts  for d's answer
//	d  measuring    2 Timeouts  for the cost of o, and
//	d  switching                for o's answer
//	o                           answers at once
//
// Whoever gives up waiting says so, and is left with the neighbors it had, or
// one less, for which [Core.fill] finds another. If the answer is on its way
// all the same, the two are not of one mind until the next [Alive].
type exchange struct {
	role      role
	begun     time.Duration
	due       time.Duration
	scan      []overlay.Node // scanning: whom
	initiator overlay.Node
	old       overlay.Node
	candidate overlay.Node
	replaced  overlay.Node // d, as c knows it
	number    uint32       // c, d: the initiator's number of its relation with c
}

type role uint8

const (
	scanning role = iota
	initiator
	candidate
	measuring
	switching
)

// needed reports whether an exchange needs the link to node, if there is one.
func (c *Core) needed(node overlay.Node) bool {
	if c.xbot == nil || c.xbot.exchange == nil {
		return false
	}
	ex := c.xbot.exchange
	switch ex.role {
	case scanning:
		for _, n := range ex.scan {
			if n == node {
				return true
			}
		}
		return false
	case initiator:
		return node == ex.candidate
	case candidate:
		return node == ex.initiator
	}
	return node == ex.old
}

// finish ends this node's part, and lets links go that were kept for it.
func (c *Core) finish() *exchange {
	ex := c.xbot.exchange
	c.xbot.exchange = nil
	for _, node := range append(ex.scan, ex.initiator, ex.candidate, ex.old) {
		if p := c.peer(node); p != nil {
			c.settle(p)
		}
	}
	return ex
}

func (c *Core) receivedXBot(p *peer, m overlay.Message) {
	switch m := m.(type) {
	case Optimization:
		c.optimization(p, m)
	case OptimizationReply:
		c.optimizationReply(p, m)
	case Replace:
		c.replace(p, m)
	case ReplaceReply:
		c.replaceReply(p, m)
	case Switch:
		c.switched(p, m)
	case SwitchReply:
		c.switchReply(p, m)
	}
}

// optimization is at c: i wants it for a neighbor in place of o.
func (c *Core) optimization(p *peer, m Optimization) {
	x := c.xbot
	if m.Number == 0 {
		return
	}
	if p.state == neighbor && p.theirs == m.Number { // the answer may be lost
		c.send(p, OptimizationReply{Of: m.Number, Number: p.mine, Accepted: true})
		return
	}
	if x == nil || p.state != stranger || m.Old.Name == c.cfg.Self.Name || m.Old.Valid() != nil {
		c.send(p, OptimizationReply{Of: m.Number})
		return
	}
	if c.taken() < c.cfg.ActiveSize {
		c.agree(p, m.Number)
		c.send(p, OptimizationReply{Of: m.Number, Number: p.mine, Accepted: true})
		return
	}
	if x.exchange == nil {
		for _, node := range c.biased() {
			if node.Name == m.Old.Name {
				continue
			}
			d := c.peer(node)
			x.exchange = &exchange{role: candidate, due: c.now + 3*x.cfg.Timeout,
				initiator: p.node, old: m.Old, replaced: node, number: m.Number}
			c.send(d, Replace{Of: d.theirs, Exchange: m.Number, Initiator: p.node, Old: m.Old})
			return
		}
	}
	c.send(p, OptimizationReply{Of: m.Number})
}

// optimizationReply is at i: c has taken it, or not.
func (c *Core) optimizationReply(p *peer, m OptimizationReply) {
	switch {
	case m.Of == 0 || m.Of != p.mine || p.ask != askOptimize:
		if m.Accepted && !(p.state == neighbor && p.theirs == m.Number) {
			c.send(p, Disconnect{Of: m.Number})
		}
	case !m.Accepted:
		c.refused(p)
	default:
		ex := c.xbot.exchange
		c.xbot.exchange = nil
		if old := c.peer(ex.old); old != nil && old.state == neighbor {
			c.part(old, m.Replaced)
		}
		c.agree(p, m.Number)
	}
}

// replace is at d: c wants to give it up, so that it takes o instead.
func (c *Core) replace(p *peer, m Replace) {
	x := c.xbot
	if p.state != neighbor || p.mine != m.Of {
		return
	}
	old := c.named(m.Old.Name)
	if x == nil || x.exchange != nil || m.Old.Valid() != nil || m.Old.Name == c.cfg.Self.Name ||
		old != nil && (old.state != stranger || old.node != m.Old || old.ask != nothing) || c.departed(m.Old, false) {
		c.send(p, ReplaceReply{Of: p.theirs, Exchange: m.Exchange})
		return
	}
	x.exchange = &exchange{role: measuring, due: c.now + 2*x.cfg.Timeout,
		initiator: m.Initiator, old: m.Old, candidate: p.node, number: m.Exchange}
	for _, node := range []overlay.Node{m.Old, p.node} {
		if x.cost(node) == 0 {
			c.emit(overlay.Measure{Node: node})
		}
	}
	c.learnedCost()
}

// decide is at d: the costs of o and c are known.
func (c *Core) decide() {
	x, ex := c.xbot, c.xbot.exchange
	p := c.peer(ex.candidate)
	if p != nil && p.state == neighbor && x.better(x.cost(ex.old), x.cost(ex.candidate)) {
		ex.role = switching
		if c.want(ex.old, askSwitch) != nil {
			return
		}
	}
	c.refuseReplace()
}

// refuseReplace is at d: nothing comes of it.
func (c *Core) refuseReplace() {
	ex := c.finish()
	if p := c.peer(ex.candidate); p != nil && p.state == neighbor {
		c.send(p, ReplaceReply{Of: p.theirs, Exchange: ex.number})
	}
}

// switched is at o: d wants to be its neighbor in place of i. So does i, or it
// would not have begun.
func (c *Core) switched(p *peer, m Switch) {
	if m.Number == 0 {
		return
	}
	if p.state == neighbor && p.theirs == m.Number { // the answer may be lost
		c.send(p, SwitchReply{Of: m.Number, Number: p.mine, Accepted: true})
		return
	}
	i := c.peer(m.Initiator)
	if c.xbot == nil || p.state != stranger || i == nil || i.state != neighbor {
		c.send(p, SwitchReply{Of: m.Number})
		return
	}
	c.part(i, true)
	c.agree(p, m.Number)
	c.send(p, SwitchReply{Of: m.Number, Number: p.mine, Accepted: true})
}

// switchReply is at d: o has taken it, or not.
func (c *Core) switchReply(p *peer, m SwitchReply) {
	switch {
	case m.Of == 0 || m.Of != p.mine || p.ask != askSwitch:
		if m.Accepted && !(p.state == neighbor && p.theirs == m.Number) {
			c.send(p, Disconnect{Of: m.Number})
		}
	case !m.Accepted:
		c.refused(p)
	default:
		ex := c.xbot.exchange
		c.xbot.exchange = nil
		if k := c.peer(ex.candidate); k != nil && k.state == neighbor {
			c.send(k, ReplaceReply{Of: k.theirs, Exchange: ex.number, Accepted: true})
			c.end(k)
			c.learn(k.node, nil)
			c.settle(k)
		}
		c.agree(p, m.Number)
	}
}

// replaceReply is at c: d has gone to o, or has not.
func (c *Core) replaceReply(p *peer, m ReplaceReply) {
	if p.state != neighbor || p.mine != m.Of {
		return
	}
	if m.Accepted {
		c.end(p)
		c.learn(p.node, nil)
	}
	ex := c.xbotRole(candidate)
	if ex == nil || ex.replaced != p.node || ex.number != m.Exchange {
		return
	}
	c.finish()
	i := c.peer(ex.initiator)
	switch {
	case i == nil || !i.linked:
	case m.Accepted && i.state == stranger:
		c.agree(i, ex.number)
		c.send(i, OptimizationReply{Of: ex.number, Number: i.mine, Accepted: true, Replaced: true})
	default:
		c.send(i, OptimizationReply{Of: ex.number})
	}
}

// xbotRole returns the exchange if this node has that part in it.
func (c *Core) xbotRole(r role) *exchange {
	if c.xbot == nil || c.xbot.exchange == nil || c.xbot.exchange.role != r {
		return nil
	}
	return c.xbot.exchange
}

// vanished ends an exchange that has lost a node which it needs.
func (c *Core) vanished(node overlay.Node) {
	if ex := c.xbotRole(initiator); ex != nil && ex.candidate == node {
		c.finish()
	}
	if ex := c.xbotRole(candidate); ex != nil && ex.replaced == node {
		c.refuseOptimization()
	}
	if ex := c.xbotRole(switching); ex != nil && ex.old == node {
		c.refuseReplace()
	}
}

// refuseOptimization is at c: nothing comes of it.
func (c *Core) refuseOptimization() {
	ex := c.finish()
	if p := c.peer(ex.initiator); p != nil && p.linked && p.state == stranger {
		c.send(p, OptimizationReply{Of: ex.number})
	}
}

// bound ends an exchange that has been overtaken: the two have become neighbors
// otherwise.
func (c *Core) bound(p *peer) {
	if ex := c.xbotRole(initiator); ex != nil && ex.candidate == p.node {
		c.finish()
	}
	for _, r := range []role{measuring, switching} {
		if ex := c.xbotRole(r); ex != nil && ex.old == p.node {
			c.refuseReplace()
		}
	}
}

// tickExchange ends a wait that has lasted too long.
func (c *Core) tickExchange() {
	if c.xbot == nil || c.xbot.exchange == nil || c.now < c.xbot.exchange.due {
		return
	}
	ex := c.xbot.exchange
	switch ex.role {
	case scanning:
		c.choose()
	case initiator:
		c.finish()
		c.withdraw(ex.candidate)
	case candidate:
		c.refuseOptimization()
	default:
		c.refuseReplace()
		c.withdraw(ex.old)
	}
}

// withdraw takes back what was asked of node for an exchange.
func (c *Core) withdraw(node overlay.Node) {
	p := c.peer(node)
	switch {
	case p == nil || p.ask != askOptimize && p.ask != askSwitch:
	case p.state == asking:
		c.giveUp(p)
	default:
		p.ask = nothing
	}
}

// reserve keeps the slot of a neighbor that says that another comes instead. An
// exchange that this node has begun does so by itself, as long as it lasts.
func (c *Core) reserve(node overlay.Node) {
	if ex := c.xbotRole(initiator); ex == nil || ex.old != node {
		c.reserved = c.now + c.xbot.cfg.Timeout
	}
}

// slotReserved reports whether a slot of the active view waits for a neighbor
// that an exchange is to bring.
func (c *Core) slotReserved() bool {
	if ex := c.xbotRole(initiator); ex != nil {
		if p := c.peer(ex.old); p == nil || p.state != neighbor {
			return true
		}
	}
	return c.now < c.reserved
}
