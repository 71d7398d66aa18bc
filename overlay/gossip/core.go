package gossip

import (
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/internal/delay"
	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards.
//
// Invariants, between two calls:
//  1. No two peers have the same name, and none has this node's.
//  2. Whoever is asked, or a neighbor, is linked; every peer waits for something
//     that comes to an end.
//  3. There are at most 2×MaxFanout neighbors, and at most MaxLinks peers more
//     than that.
//  4. Members are sorted by name, of which no two are equal, and none is this
//     node's; there are at most MaxKnown.
//  5. Nobody is both a member and faded; there are at most MaxFaded faded ones.
//  6. A link that serves nothing was made by the other side.
type Core struct {
	cfg       Config
	peers     []*peer   // in the order in which they came
	members   []*member // by name
	faded     []faded
	seeds     []*seed
	refreshAt time.Time // zero before the first Tick
	retryAt   time.Time // zero unless there is nobody to ask now
	retries   int
	left      bool // this node has left
	effects   overlay.Effects
}

// New returns a Core that knows nobody but its seeds, which the first Tick
// probes. Errors are those of cfg, all at once.
func New(cfg Config) (*Core, error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	c := &Core{cfg: cfg}
	c.join(cfg.Seeds)
	c.cfg.Seeds = nil
	return c, nil
}

// Step tells the core that ev happened at now. Events of kinds that mean
// nothing to it, and of nodes that it does not know, do nothing.
func (c *Core) Step(now time.Time, ev overlay.Event) overlay.Effects {
	if c.left {
		if up, ok := ev.(overlay.LinkUp); ok {
			c.emit(overlay.Disconnect{Node: up.Node})
		}
		return c.take()
	}
	c.step(now, ev)
	if !c.left {
		c.fill(now)
	}
	return c.take()
}

func (c *Core) step(now time.Time, ev overlay.Event) {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		c.linkUp(now, ev)
	case overlay.LinkDown:
		if p := c.peer(ev.Node); p != nil && p.linked() {
			c.discard(p)
			c.tryLater(now, ev.Node, false)
		}
	case overlay.DialFailed:
		c.dialFailed(now, ev)
	case overlay.Found:
		c.found(now, ev)
	case overlay.ProbeFailed:
		c.probeFailed(now, ev.Addr)
	case overlay.Met:
		c.learn(ev.Node, true)
	case overlay.Lost:
		if p := c.peer(ev.Node); p != nil {
			c.close(p)
		}
		c.fade(now, ev.Node, false)
	case overlay.Received:
		if p := c.peer(ev.From); p != nil && p.linked() {
			c.received(now, p, ev.Message)
		}
	case overlay.Join:
		c.join(ev.Addrs)
		c.probeSeeds(now, true)
	case overlay.LeaveRequested:
		c.leave()
	}
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) overlay.Effects {
	if c.left {
		return nil
	}
	if c.refreshAt.IsZero() {
		c.refreshAt = now.Add(delay.Jitter(c.cfg.Rand, c.cfg.Refresh))
		c.probeSeeds(now, true)
	}
	for _, p := range slices.Clone(c.peers) {
		if !now.Before(p.due) && slices.Contains(c.peers, p) {
			c.expire(now, p)
		}
	}
	if !c.retryAt.IsZero() && !now.Before(c.retryAt) {
		c.retryAt = time.Time{}
	}
	if !now.Before(c.refreshAt) {
		c.refreshAt = now.Add(delay.Jitter(c.cfg.Rand, c.cfg.Refresh))
		c.refresh(now)
	}
	c.fill(now)
	return c.take()
}

// Deadline returns when Tick is to be called next; the zero time before the
// first Tick, and after the node has left.
func (c *Core) Deadline() time.Time {
	next := c.refreshAt
	if !c.retryAt.IsZero() && c.retryAt.Before(next) {
		next = c.retryAt
	}
	for _, p := range c.peers {
		if p.due.Before(next) {
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
		if p.state == neighbor {
			nodes = append(nodes, p.node)
		}
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// Fanout returns how many neighbors this node looks for at the moment. It
// accepts twice as many.
func (c *Core) Fanout() int {
	if c.cfg.Fanout > 0 {
		return c.cfg.Fanout
	}
	n := float64(len(c.members) + 1)
	return min(c.cfg.MaxFanout, max(MinFanout, int(math.Ceil(math.Log(n)))+2))
}

// Outdated says why node can never be a neighbor again: a newer incarnation of it
// is linked, or it has left. It returns nil for a node that can, or of which
// nothing is known any more: what is remembered is bounded.
func (c *Core) Outdated(node overlay.Node) error {
	if p := c.named(node.Name); p != nil && p.linked() && p.node.Newer(node) {
		return overlay.ErrRestarted
	}
	if i := c.fadedAt(node.Name); i >= 0 && c.faded[i].left && !node.Newer(c.faded[i].node) {
		return overlay.ErrLeft
	}
	return nil
}

// leave tells the neighbors, and forgets everything.
func (c *Core) leave() {
	for _, p := range c.peers {
		if p.state == neighbor {
			c.send(p, Leave{})
		}
		if p.linked() {
			c.emit(overlay.Disconnect{Node: p.node})
		}
		if p.state == neighbor {
			c.emit(overlay.NeighborDown{Node: p.node})
		}
	}
	*c = Core{cfg: c.cfg, left: true, effects: c.effects}
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
