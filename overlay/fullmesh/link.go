package fullmesh

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// linkUp takes a node that has proven itself among the members.
func (c *Core) linkUp(now time.Time, ev overlay.LinkUp) {
	node := ev.Node
	reason := c.outdated(node)
	if node.Name == c.cfg.Self.Name {
		reason = overlay.ErrSelf
	}
	if reason != nil {
		c.emit(overlay.Disconnect{Node: node})
		c.emit(overlay.Down{Node: node, Reason: reason})
		return
	}
	for _, p := range c.sorted() {
		if node.Newer(p.node) {
			c.remove(now, p, overlay.ErrRestarted)
		}
	}
	p := c.peers[node]
	if p == nil {
		p = &peer{node: node, met: now}
		c.peers[node] = p
	}
	newcomer := !p.member
	if !p.linked {
		c.emit(overlay.NeighborUp{Node: node})
	}
	switch {
	case !ev.Accepted:
		p.dialable = true
	case !p.dialable:
		c.emit(overlay.Probe{Addr: node.Addr()})
	}
	p.member, p.linked, p.dialing, p.heard, p.reason, p.refused = true, true, false, now, nil, false
	if newcomer {
		c.emit(overlay.Up{Node: node})
	}
	if newcomer && !c.cfg.Directed {
		linked := c.linked()
		for _, other := range linked {
			if other != node {
				c.emit(overlay.Send{To: other, Message: overlay.Nodes{Nodes: []overlay.Node{node}}})
			}
		}
		if len(linked) > 1 {
			c.emit(overlay.Send{To: node, Message: overlay.Nodes{Nodes: linked}})
		}
	}
	c.ping(now, p)
}

// linkDown dials again: at once if the link was of any use, after a wait if it
// broke as soon as it was made.
func (c *Core) linkDown(now time.Time, p *peer) {
	c.unlink(p)
	p.nextDial = now
	if p.attempts > 0 {
		p.nextDial = now.Add(c.backoff(p.attempts - 1))
	}
	p.attempts++
	c.dialIfDue(now, p)
}

func (c *Core) dialFailed(now time.Time, p *peer, ev overlay.DialFailed) {
	if !p.dialing {
		return
	}
	// That nobody listens says nothing of a node that only dials.
	refused := ev.Refused && (p.dialable || !p.member)
	p.dialing, p.refused = false, refused
	silent := now.Sub(p.met) >= c.silence()
	switch {
	case p.linked:
	case c.cfg.Directed && p.member:
		p.nextDial = now.Add(c.backoff(p.attempts))
		p.attempts++
	case p.member && !refused, ev.Alive && !silent:
		// It may be a lost packet. Silence decides.
		p.nextDial = now.Add(c.backoff(p.attempts))
		p.attempts++
	case p.member:
		c.down(now, p, overlay.ErrUnreachable)
	default:
		c.down(now, p, overlay.ErrDialFailed)
	}
}

// silent deals with a member that has not been heard of for too long.
func (c *Core) silent(now time.Time, p *peer) {
	if !c.cfg.Directed {
		c.down(now, p, overlay.ErrSilent)
		return
	}
	p.heard = now
	if p.linked {
		// Another link may do. That this one is down is told in due course.
		c.emit(overlay.Report{Value: Silent{p.node}}, overlay.Disconnect{Node: p.node})
	}
}

// Silent reports that nothing has come over the link to Node for Misses intervals:
// other connections to it may well be broken, too. Whether it is dead is another
// question. Only a Directed core says so.
type Silent struct{ Node overlay.Node }

// unlink notes that there is no link to p any more.
func (c *Core) unlink(p *peer) {
	if p.linked {
		p.linked = false
		c.emit(overlay.NeighborDown{Node: p.node})
	}
}

func (c *Core) ping(now time.Time, p *peer) {
	p.seq++
	p.pinged, p.nextPing = now, now.Add(c.cfg.Interval)
	c.emit(overlay.Send{To: p.node, Message: overlay.Ping{Seq: p.seq}})
}

func (c *Core) received(now time.Time, p *peer, m overlay.Message) {
	p.heard, p.attempts = now, 0
	switch m := m.(type) {
	case overlay.Ping:
		c.emit(overlay.Send{To: p.node, Message: overlay.Pong(m)})
	case overlay.Pong:
		if m.Seq == p.seq {
			p.rtt = now.Sub(p.pinged)
		}
	case overlay.Nodes:
		for _, node := range m.Nodes {
			c.meet(now, node, false)
		}
	case overlay.Leaving:
		c.left[p.node.Name] = departure{p.node, now}
		c.remove(now, p, overlay.ErrLeft)
	}
}

func (c *Core) leave() {
	for _, node := range c.linked() {
		c.emit(overlay.Send{To: node, Message: overlay.Leaving{}})
		c.emit(overlay.Disconnect{Node: node})
		c.unlink(c.peers[node])
	}
	clear(c.peers)
	clear(c.seeds)
	c.leaving = true
}
