package fullmesh

import (
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Core is the protocol of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards.
type Core struct {
	cfg     Config
	peers   map[overlay.Node]*peer
	left    map[string]departure // the last incarnation of a name that has left
	seeds   map[string]*seed
	gossip  time.Time // when the next exchange is due
	leaving bool
	effects overlay.Effects
}

// New returns a Core that knows nobody but its seeds, which the first Tick
// probes. Errors are those of cfg, all at once.
func New(cfg Config) (*Core, error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	c := &Core{
		cfg:   cfg,
		peers: make(map[overlay.Node]*peer),
		left:  make(map[string]departure),
		seeds: make(map[string]*seed),
	}
	c.join(time.Time{}, cfg.Seeds)
	return c, nil
}

// Step tells the core that ev happened at now.
func (c *Core) Step(now time.Time, ev overlay.Event) overlay.Effects {
	if !c.leaving {
		c.step(now, ev)
	}
	return c.take()
}

func (c *Core) step(now time.Time, ev overlay.Event) {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		c.linkUp(now, ev)
	case overlay.LinkDown:
		if p := c.peers[ev.Node]; p != nil && p.linked {
			c.linkDown(now, p)
		}
	case overlay.DialFailed:
		if p := c.peers[ev.Node]; p != nil {
			c.dialFailed(now, p, ev)
		}
	case overlay.Found:
		c.found(now, ev)
	case overlay.ProbeFailed:
		if s := c.seeds[ev.Addr]; s != nil {
			c.probeLater(now, s)
		}
	case overlay.Met:
		c.meet(now, ev.Node, true)
	case overlay.Lost:
		switch p := c.peers[ev.Node]; {
		case p == nil:
		case c.cfg.Directed:
			c.remove(now, p, ev.Err)
		default:
			c.down(now, p, ev.Err)
			p.nextDial, p.reason = now, nil // it is there, after all
			c.dialIfDue(now, p)
		}
	case overlay.Received:
		if p := c.peers[ev.From]; p != nil && p.linked {
			c.received(now, p, ev.Message)
		}
	case overlay.Join:
		c.join(now, ev.Addrs)
		c.probe(now)
	case overlay.LeaveRequested:
		c.leave()
	}
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) overlay.Effects {
	if c.leaving {
		return nil
	}
	for _, p := range c.sorted() {
		switch {
		case p.member && now.Sub(p.heard) >= c.silence():
			c.silent(now, p)
		case p.linked && !now.Before(p.nextPing):
			c.ping(now, p)
		case !p.member && now.Sub(p.met) >= c.cfg.Forget:
			c.remove(now, p, overlay.ErrDialFailed)
		default:
			c.dialIfDue(now, p)
		}
	}
	for name, d := range c.left {
		if now.Sub(d.at) >= c.cfg.Forget {
			delete(c.left, name)
		}
	}
	c.probe(now)
	if c.gossip.IsZero() {
		c.gossip = now.Add(c.gossipWait())
	}
	if !now.Before(c.gossip) {
		c.gossip = now.Add(c.gossipWait())
		if linked := c.linked(); len(linked) > 0 && !c.cfg.Directed {
			c.emit(overlay.Send{To: linked[c.cfg.Rand.IntN(len(linked))], Message: overlay.Nodes{Nodes: linked}})
		}
	}
	return c.take()
}

// Deadline returns when Tick is to be called next. It takes time in proportion
// to the number of nodes known.
func (c *Core) Deadline() time.Time {
	if c.leaving {
		return time.Time{}
	}
	next := c.gossip
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	for _, p := range c.peers {
		if p.member {
			earlier(p.heard.Add(c.silence()))
		} else {
			earlier(p.met.Add(c.cfg.Forget))
		}
		if p.linked {
			earlier(p.nextPing)
		} else if !p.dialing {
			earlier(p.nextDial)
		}
	}
	for _, s := range c.seeds {
		if c.wanted(s) {
			earlier(s.next)
		}
	}
	return next
}

// Members returns the members as this node sees them, without itself, sorted.
func (c *Core) Members() []overlay.Member {
	var members []overlay.Member
	for _, p := range c.sorted() {
		if p.member {
			members = append(members, overlay.Member{Node: p.node, Linked: p.linked, Heard: p.heard, RTT: p.rtt})
		}
	}
	return members
}

// Outdated says why node can never be a member again: a newer incarnation of it
// is one, or it has left. It returns nil for a node that can.
func (c *Core) Outdated(node overlay.Node) error { return c.outdated(node) }

// silence is how long a member may be silent.
func (c *Core) silence() time.Duration { return c.cfg.Interval * time.Duration(c.cfg.Misses) }

func (c *Core) emit(effects ...overlay.Effect) { c.effects = append(c.effects, effects...) }

func (c *Core) take() overlay.Effects {
	effects := c.effects
	c.effects = nil
	return effects
}

func (c *Core) sorted() []*peer {
	return slices.SortedFunc(maps.Values(c.peers), func(a, b *peer) int { return a.node.Compare(b.node) })
}

// linked returns the nodes that can be sent to, sorted.
func (c *Core) linked() []overlay.Node {
	var nodes []overlay.Node
	for _, p := range c.sorted() {
		if p.linked {
			nodes = append(nodes, p.node)
		}
	}
	return nodes
}

func (c *Core) gossipWait() time.Duration {
	d := c.cfg.Interval * time.Duration(c.cfg.Gossip)
	return d/2 + time.Duration(c.cfg.Rand.Int64N(int64(d/2)+1))
}
