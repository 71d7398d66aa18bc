package clientserver

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
//  1. No two peers have the same name, and none has this node's; every peer
//     waits for something that comes to an end.
//  2. A node that does not serve has no neighbors that do not, but for Linger
//     after it has stepped down, and while others take their place.
//  3. There are at most MaxClients and MaxClaims neighbors, and at most MaxLinks
//     peers more than that.
//  4. Members are sorted by name, of which no two are equal, and none is this
//     node's; there are at most MaxMembers.
//  5. Claims are sorted by name, at most one a name, and at most MaxClaims; none
//     is of a lost node; that of this node says what it is.
//  6. A node with the role Client does not serve, one with the role Server does.
//  7. A link that serves nothing was made by the other side.
type Core struct {
	cfg     Config
	peers   []*peer   // by name
	members []*member // by name
	claims  []Claim   // by name
	lost    []buried
	seeds   []*seed

	serving bool
	clock   uint64  // the greatest number seen
	news    []Claim // not told to the neighbors yet
	source  string  // who has told them

	began       time.Time
	intervalAt  time.Time
	changeAt    time.Time // when the servers may change, unless it is zero
	steppedDown time.Time
	seedsAt     time.Time // when seeds may be probed again
	seedProbes  int       // since there was a neighbor last
	wake        time.Time // zero if nothing else is to be waited for
	left        bool      // this node has left
	effects     overlay.Effects
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
	switch cfg.Role {
	case Server:
		c.declare(Serving)
	case Client:
		c.declare(Never)
	}
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
	c.begin(now)
	c.step(now, ev)
	if !c.left {
		c.settle(now)
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
			c.tryLater(now, p.node, broken)
		}
	case overlay.DialFailed:
		c.dialFailed(now, ev)
	case overlay.Found:
		c.found(now, ev)
	case overlay.ProbeFailed:
		for _, s := range c.seeds {
			if s.addr == ev.Addr {
				s.probing = time.Time{}
			}
		}
	case overlay.Met:
		c.learn(ev.Node, true)
	case overlay.Lost:
		c.bury(now, ev.Node, c.cfg.Bury, false)
	case overlay.Received:
		if p := c.peer(ev.From); p != nil && p.linked() {
			c.source = p.node.Name
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
	c.begin(now)
	for _, p := range slices.Clone(c.peers) {
		if !now.Before(p.due) && c.named(p.node.Name) == p {
			c.expire(now, p)
		}
	}
	if !now.Before(c.intervalAt) {
		c.intervalAt = now.Add(delay.Jitter(c.cfg.Rand, c.cfg.Interval))
		c.interval(now)
	}
	c.settle(now)
	return c.take()
}

func (c *Core) begin(now time.Time) {
	if c.began.IsZero() {
		c.began, c.intervalAt = now, now.Add(delay.Jitter(c.cfg.Rand, c.cfg.Interval))
		c.probeSeeds(now, true)
	}
}

// Deadline returns when Tick is to be called next; the zero time before the
// first call of Step or Tick, and after the node has left.
func (c *Core) Deadline() time.Time {
	next := c.intervalAt
	if !c.wake.IsZero() && c.wake.Before(next) {
		next = c.wake
	}
	for _, p := range c.peers {
		if p.due.Before(next) {
			next = p.due
		}
	}
	return next
}

// Neighbors returns the nodes that this one and they have agreed on, sorted: of a
// client, servers; of a server, the other servers and its clients. The slice is the
// caller's.
func (c *Core) Neighbors() []overlay.Node {
	var nodes []overlay.Node
	for _, p := range c.peers {
		if p.state == neighbor {
			nodes = append(nodes, p.node)
		}
	}
	return nodes
}

// Serving reports whether this node is a server.
func (c *Core) Serving() bool { return c.serving }

// Servers returns the servers, as far as this node knows, sorted, itself among
// them if it is one. The slice is the caller's.
func (c *Core) Servers() []overlay.Node {
	var nodes []overlay.Node
	for _, cl := range c.servers() {
		nodes = append(nodes, cl.Node)
	}
	return nodes
}

// Outdated says why node can never be a neighbor again: a newer incarnation of it
// is linked, or it has left. It returns nil for a node that can, or of which
// nothing is known any more: what is remembered is bounded.
func (c *Core) Outdated(node overlay.Node) error {
	if p := c.named(node.Name); p != nil && p.linked() && p.node.Newer(node) {
		return overlay.ErrRestarted
	}
	if i := c.lostAt(node.Name); i >= 0 && c.lost[i].left && !node.Newer(c.lost[i].node) {
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

// wakeAt has Tick called at t, if not earlier.
func (c *Core) wakeAt(t time.Time) {
	if c.wake.IsZero() || t.Before(c.wake) {
		c.wake = t
	}
}

// backoff returns the wait after the given number of attempts in vain.
func (c *Core) backoff(attempts int) time.Duration {
	return delay.Backoff(c.cfg.Rand, c.cfg.RedialMin, c.cfg.RedialMax, attempts)
}
