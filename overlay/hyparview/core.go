package hyparview

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
//  1. No two peers have the same name, and none has this node's.
//  2. A peer is being dialled or linked; a neighbor, or one that is being
//     asked to be one, is linked.
//  3. There are at most ActiveSize neighbors, and at most MaxLinks peers more
//     than that.
//  4. No two nodes in the passive view have the same name; none has this
//     node's or a neighbor's; there are at most PassiveSize.
//  5. A relation has a number of this side from when it is asked for, and of
//     the other side from when it is agreed on; no two peers share one.
//  6. A linked peer that is neither asked nor a neighbor, and that no exchange
//     needs, has been accepted: this side closes links that it has made.
//  7. tried, gone, seeds and errands are within their bounds, and an errand's
//     peer is being dialled.
//  8. Whoever is asked for an exchange of X-BOT is the one whom the exchange
//     under way needs; the costs that are known are within their bound.
type Core struct {
	cfg   Config
	begun bool
	left  bool // this node has left
	start time.Time
	now   time.Duration // since start, as all times here

	peers   []*peer
	passive []known
	tried   int // passive[:tried] have been asked, or are being asked
	gone    []departure
	errands []errand
	sent    []known // of the passive view, in the shuffle of that number
	fresh   []known // of the passive view, have answered when checked last
	shuffle uint32  // the number of the shuffle that is not answered yet
	number  uint32  // the last that was given to anything

	shuffleAt, refreshAt, retryAt time.Duration // when due; 0 is never
	refreshes                     int           // how often that was done
	retries                       int           // how often retryAt was set since a neighbor was lost last
	refusals                      int           // how many of those that were tried had no room
	reserved                      time.Duration // until when a slot is kept for a Disconnect with Wait

	seeds seeds
	xbot  *optimizer

	effects overlay.Effects
}

// errand is a message for a node that is being dialled for it.
type errand struct {
	to      overlay.Node
	message overlay.Message
}

// maxErrands bounds the messages that wait for a link of their own: more than
// an honest cluster has under way, as each is gone in a round trip.
const maxErrands = 8

// New returns a Core that knows nobody but its seeds, which the first Tick
// probes. Errors are those of cfg, all at once.
func New(cfg Config) (*Core, error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	c := &Core{cfg: cfg}
	if cfg.XBot != nil {
		c.xbot = newOptimizer(*cfg.XBot)
	}
	c.join(cfg.Seeds)
	c.cfg.Seeds = nil
	return c, nil
}

// Step tells the core that ev happened at now. Events of kinds that mean
// nothing to it, and of nodes that it does not know, do nothing.
func (c *Core) Step(now time.Time, ev overlay.Event) overlay.Effects {
	c.clock(now)
	if c.left {
		if up, ok := ev.(overlay.LinkUp); ok {
			c.emit(overlay.Disconnect{Node: up.Node})
		}
		return c.take()
	}
	c.step(ev)
	c.fill()
	return c.take()
}

func (c *Core) step(ev overlay.Event) {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		c.linkUp(ev)
	case overlay.LinkDown:
		c.linkDown(ev.Node)
	case overlay.DialFailed:
		c.dialFailed(ev)
	case overlay.Found:
		c.found(ev)
	case overlay.ProbeFailed:
		c.probeFailed(ev.Addr)
	case overlay.RTT:
		c.measured(ev.Node, ev.RTT)
	case overlay.Met:
		c.learn(ev.Node, nil)
	case overlay.Lost:
		c.lost(ev.Node)
	case overlay.Received:
		if p := c.peer(ev.From); p != nil && p.linked {
			c.received(p, ev.Message)
		}
	case overlay.Join:
		c.join(ev.Addrs)
	case overlay.LeaveRequested:
		c.leave()
	}
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) overlay.Effects {
	c.clock(now)
	if c.left {
		return nil
	}
	c.tickExchange()
	for _, p := range slices.Clone(c.peers) {
		if c.now >= p.due && c.peer(p.node) == p {
			c.expire(p)
		}
	}
	if due(c.retryAt, c.now) {
		c.retryAt, c.tried, c.refusals = 0, 0, 0
	}
	if due(c.reserved, c.now) {
		c.reserved = 0
	}
	if due(c.shuffleAt, c.now) {
		c.shuffleAt = c.now + c.jitter(c.cfg.ShuffleInterval)
		c.reassure()
		c.startShuffle()
		c.forgive()
		c.check(c.cfg.Checks)
	}
	if due(c.refreshAt, c.now) {
		c.refresh()
		c.scheduleRefresh()
	}
	c.tickOptimizer()
	c.probe()
	c.fill()
	return c.take()
}

// Deadline returns when Tick is to be called next; the zero time before the
// first call of Step or Tick, and after the node has left.
func (c *Core) Deadline() time.Time {
	if !c.begun || c.left {
		return time.Time{}
	}
	next := c.shuffleAt
	earlier := func(d time.Duration) {
		if d != 0 && d < next {
			next = d
		}
	}
	earlier(c.refreshAt)
	earlier(c.retryAt)
	earlier(c.reserved)
	earlier(c.seeds.due())
	for _, p := range c.peers {
		earlier(p.due)
	}
	if c.xbot != nil {
		earlier(c.xbot.roundAt)
		if c.xbot.exchange != nil {
			earlier(c.xbot.exchange.due)
		}
	}
	return c.start.Add(next)
}

// Active returns the active view, sorted. The slice is the caller's.
func (c *Core) Active() []overlay.Node {
	nodes := make([]overlay.Node, 0, c.cfg.ActiveSize)
	for _, p := range c.peers {
		if p.state == neighbor {
			nodes = append(nodes, p.node)
		}
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// Passive returns the passive view, sorted. The slice is the caller's.
func (c *Core) Passive() []overlay.Node {
	nodes := make([]overlay.Node, 0, len(c.passive))
	for _, k := range c.passive {
		nodes = append(nodes, *k)
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// Outdated says why node can never be taken in again: a newer incarnation of it
// is linked, or it has left. It returns nil for a node that can, or of which
// nothing is known any more: what is remembered is bounded.
func (c *Core) Outdated(node overlay.Node) error {
	if p := c.named(node.Name); p != nil && p.linked && p.node.Newer(node) {
		return overlay.ErrRestarted
	}
	if c.departed(node, true) {
		return overlay.ErrLeft
	}
	return nil
}

// clock takes over the time. The first time is where all others count from, at
// 1, since 0 is never; it keeps the caller's monotonic clock.
func (c *Core) clock(now time.Time) {
	if !c.begun {
		c.begun, c.start = true, now.Add(-1)
		c.shuffleAt = c.soon(c.cfg.ShuffleInterval)
		c.scheduleRefresh()
		if c.xbot != nil {
			c.xbot.roundAt = c.soon(c.xbot.cfg.Interval)
		}
	}
	c.now = max(c.now, now.Sub(c.start))
}

// due reports whether the time at has come; 0 never does.
func due(at, now time.Duration) bool { return at != 0 && now >= at }

// jitter returns a wait of d on average, so that nodes that were started
// together do not act together.
func (c *Core) jitter(d time.Duration) time.Duration { return delay.Jitter(c.cfg.Rand, d) }

// soon returns a time within d.
func (c *Core) soon(d time.Duration) time.Duration {
	return c.now + 1 + time.Duration(c.cfg.Rand.Int64N(int64(d)))
}

// next returns a number that was not given before.
func (c *Core) next() uint32 {
	c.number++
	if c.number == 0 { // after 2^32 of them
		c.number++
	}
	return c.number
}

func (c *Core) emit(e overlay.Effect) { c.effects = append(c.effects, e) }

func (c *Core) take() overlay.Effects {
	effects := c.effects
	c.effects = nil
	return effects
}
