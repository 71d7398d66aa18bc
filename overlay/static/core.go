package static

import (
	"slices"
	"time"

	"github.com/topos-go/topos/internal/delay"
	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards.
//
// Invariants, between two calls:
//  1. No two peers are linked, or being dialled, under one name; none has this
//     node's.
//  2. A peer that is not configured is linked: guests are not dialled.
//  3. Every peer but a neighbor waits for something that comes to an end.
//  4. There are at most MaxPeers configured ones and MaxGuests others; with
//     [Configured], there are no others.
//  5. Of a peer that is known by its name, node has that name.
type Core struct {
	cfg     Config
	peers   []*peer // the configured ones first
	left    bool    // this node has left
	effects overlay.Effects
}

// New returns a Core that knows its peers' addresses only, which the first Tick
// probes. Errors are those of cfg, all at once.
func New(cfg Config) (*Core, error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	c := &Core{cfg: cfg}
	c.join(time.Time{}, cfg.Peers)
	c.cfg.Peers = nil
	return c, nil
}

// Step tells the core that ev happened at now. Events of kinds that mean
// nothing to it, and of nodes that are none of its peers, do nothing.
func (c *Core) Step(now time.Time, ev overlay.Event) overlay.Effects {
	if c.left {
		if up, ok := ev.(overlay.LinkUp); ok {
			c.emit(overlay.Disconnect{Node: up.Node})
		}
		return c.take()
	}
	switch ev := ev.(type) {
	case overlay.LinkUp:
		c.linkUp(now, ev.Node)
	case overlay.LinkDown:
		if p := c.linked(ev.Node); p != nil {
			c.linkDown(now, p)
		}
	case overlay.DialFailed:
		c.dialFailed(now, ev)
	case overlay.Found:
		c.found(now, ev)
	case overlay.ProbeFailed:
		if p := c.at(ev.Addr); p != nil && p.phase == probing {
			c.later(now, p)
		}
	case overlay.Met:
		c.met(now, ev.Node)
	case overlay.Lost:
		if p := c.linked(ev.Node); p != nil {
			c.close(now, p)
		}
	case overlay.Received:
		if p := c.linked(ev.From); p != nil {
			c.received(now, p, ev.Message)
		}
	case overlay.Join:
		c.join(now, ev.Addrs)
		c.tick(now)
	case overlay.LeaveRequested:
		c.leave()
	}
	return c.take()
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) overlay.Effects {
	c.tick(now)
	return c.take()
}

func (c *Core) tick(now time.Time) {
	for _, p := range slices.Clone(c.peers) {
		if p.phase != neighbor && !now.Before(p.due) {
			c.expire(now, p)
		}
	}
}

// Deadline returns when Tick is to be called next; the zero time if never, as
// things are, or before the first Tick.
func (c *Core) Deadline() time.Time {
	var next time.Time
	for _, p := range c.peers {
		if p.phase != neighbor && (next.IsZero() || p.due.Before(next)) {
			next = p.due
		}
	}
	return next
}

// Neighbors returns the nodes that this one and they have agreed on, sorted.
// The slice is the caller's.
func (c *Core) Neighbors() []overlay.Node {
	var nodes []overlay.Node
	for _, p := range c.peers {
		if p.phase == neighbor {
			nodes = append(nodes, p.node)
		}
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// Outdated says why node can never be a neighbor again: a newer incarnation of it
// is linked, or it has left. It returns nil for a node that can.
func (c *Core) Outdated(node overlay.Node) error {
	p := c.of(node)
	switch {
	case p == nil:
		return nil
	case p.gone.Name == node.Name && !node.Newer(p.gone):
		return overlay.ErrLeft
	case p.phase.linked() && p.node.Newer(node):
		return overlay.ErrRestarted
	}
	return nil
}

// leave tells the neighbors, and forgets everything.
func (c *Core) leave() {
	for _, p := range c.peers {
		if p.phase == neighbor {
			c.send(p, Leave{})
		}
		if p.phase.linked() {
			c.emit(overlay.Disconnect{Node: p.node})
		}
		if p.phase == neighbor {
			c.emit(overlay.NeighborDown{Node: p.node})
		}
	}
	c.peers, c.left = nil, true
}

func (c *Core) send(p *peer, m overlay.Message) {
	c.emit(overlay.Send{To: p.node, Message: m})
}

func (c *Core) emit(e overlay.Effect) { c.effects = append(c.effects, e) }

func (c *Core) take() overlay.Effects {
	effects := c.effects
	c.effects = nil
	return effects
}

// backoff returns the wait after the given number of attempts in vain.
func (c *Core) backoff(attempts int) time.Duration {
	return delay.Backoff(c.cfg.Rand, c.cfg.RedialMin, c.cfg.RedialMax, attempts)
}
