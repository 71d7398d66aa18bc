package static

import (
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// peer is one that is configured, or a guest.
type peer struct {
	addr     string       // where it is probed; empty for a guest
	name     string       // whom it must be; empty if whoever is there will do
	node     overlay.Node // who it is, as far as known
	gone     overlay.Node // the last incarnation that has left
	phase    phase
	due      time.Time // when the wait of its phase is over; not for a neighbor
	since    time.Time // when it was linked
	attempts int       // in vain, to link it
	asks     int       // over this link
}

// phase is how far a peer has come.
type phase uint8

const (
	waiting  phase = iota // until due, to be probed
	probing               // until due, or the driver's answer
	yielding              // found, it is up to the other side to dial until due
	dialing               // until due, or the driver's answer
	asking                // linked: a configured peer is asked, a guest is to ask
	neighbor              // linked and agreed on
)

func (p phase) linked() bool { return p >= asking }

func (p *peer) guest() bool { return p.addr == "" }

// join makes peers of addresses and names.
func (c *Core) join(now time.Time, peers []string) {
	for _, s := range peers {
		name, addr := split(s)
		switch p := c.at(addr); {
		case addr == "" || addr == c.cfg.Self.Addr() || name == c.cfg.Self.Name || strings.HasPrefix(name, "@"):
		case p != nil && p.name == "" && (p.node.IsZero() || p.node.Name == name) && name != "":
			p.name = name
		case p == nil && c.listed() < c.cfg.MaxPeers:
			p = &peer{addr: addr, name: name, due: now}
			if i := c.guestAt(name, addr); i >= 0 { // it is one no more
				p = c.peers[i]
				p.addr, p.name = addr, name
				c.peers = slices.Delete(c.peers, i, i+1)
			}
			c.peers = slices.Insert(c.peers, c.listed(), p)
		}
	}
}

// guestAt returns where the guest is who says that it listens at addr, and has that
// name if there is one; -1 if there is none.
func (c *Core) guestAt(name, addr string) int {
	return slices.IndexFunc(c.peers, func(p *peer) bool {
		return p.guest() && p.node.Addr() == addr && (name == "" || name == p.node.Name)
	})
}

// listed returns how many peers are configured.
func (c *Core) listed() int {
	n := slices.IndexFunc(c.peers, (*peer).guest)
	if n < 0 {
		return len(c.peers)
	}
	return n
}

// at returns the peer that is configured at addr.
func (c *Core) at(addr string) *peer {
	for _, p := range c.peers {
		if p.addr == addr && addr != "" {
			return p
		}
	}
	return nil
}

// of returns the peer that node is, in whatever incarnation: the one under whose
// name it is known, or else the one at whose address it says that it is.
func (c *Core) of(node overlay.Node) *peer {
	if node.Valid() != nil {
		return nil
	}
	for _, p := range c.peers {
		if p.name == node.Name || p.node.Name == node.Name {
			return p
		}
	}
	if p := c.at(node.Addr()); p != nil && p.name == "" && !p.phase.linked() {
		return p
	}
	return nil
}

// linked returns the peer with a link to just that node.
func (c *Core) linked(node overlay.Node) *peer {
	for _, p := range c.peers {
		if p.phase.linked() && p.node == node {
			return p
		}
	}
	return nil
}

// expire ends a wait.
func (c *Core) expire(now time.Time, p *peer) {
	switch p.phase {
	case waiting:
		c.probe(now, p)
	case yielding:
		c.dial(now, p)
	case probing, dialing:
		c.later(now, p)
	case asking:
		if p.guest() || p.asks >= c.cfg.Asks {
			c.close(now, p)
		} else {
			c.ask(now, p)
		}
	}
}

func (c *Core) probe(now time.Time, p *peer) {
	p.phase, p.due = probing, now.Add(c.cfg.DialTimeout)
	c.emit(overlay.Probe{Addr: p.addr})
}

func (c *Core) dial(now time.Time, p *peer) {
	p.phase, p.due = dialing, now.Add(c.cfg.DialTimeout)
	c.emit(overlay.Dial{Node: p.node})
}

// later tries p again after a wait; a guest it forgets.
func (c *Core) later(now time.Time, p *peer) {
	if p.guest() {
		c.peers = slices.DeleteFunc(c.peers, func(q *peer) bool { return q == p })
		return
	}
	p.phase, p.due = waiting, now.Add(c.backoff(p.attempts))
	p.attempts++
}

// found goes on with who has answered a probe.
func (c *Core) found(now time.Time, ev overlay.Found) {
	p, node := c.at(ev.Addr), ev.Node
	if p == nil || p.phase != probing {
		return
	}
	if node.Name == c.cfg.Self.Name { // it is this node itself, under another address
		c.peers = slices.DeleteFunc(c.peers, func(q *peer) bool { return q == p })
		return
	}
	other := c.of(node)
	taken := other != nil && other != p // two addresses of one node
	if node.Valid() != nil || p.name != "" && p.name != node.Name || taken || c.Outdated(node) != nil {
		c.later(now, p)
		return
	}
	p.node = node
	if c.cfg.Self.Name < node.Name {
		c.dial(now, p)
	} else {
		p.phase, p.due = yielding, now.Add(c.cfg.Yield)
	}
}

func (c *Core) dialFailed(now time.Time, ev overlay.DialFailed) {
	p := c.of(ev.Node)
	switch {
	case p == nil || p.phase != dialing || p.node != ev.Node:
	case ev.Alive:
		p.due = now.Add(c.cfg.Timeout)
	default:
		c.later(now, p)
	}
}

// met brings an attempt forward if there is a newer start of a peer, and only
// then: what others say must not have a dead one dialled more often.
func (c *Core) met(now time.Time, node overlay.Node) {
	if p := c.of(node); p != nil && p.phase == waiting && node.Newer(p.node) {
		p.node, p.attempts = node, 0
		c.probe(now, p)
	}
}
