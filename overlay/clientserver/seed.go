package clientserver

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// seed is an address at which somebody may be found.
type seed struct {
	addr    string
	node    overlay.Node // who answered last
	probing time.Time    // until when an answer is awaited; zero if none is
}

// join adds seeds.
func (c *Core) join(addrs []string) {
	for _, addr := range addrs {
		known := slices.ContainsFunc(c.seeds, func(s *seed) bool { return s.addr == addr })
		if !known && addr != "" && addr != c.cfg.Self.Addr() && len(c.seeds) < c.cfg.MaxSeeds {
			c.seeds = append(c.seeds, &seed{addr: addr})
		}
	}
}

// probeSeeds probes the seeds whose node is not linked: now, or when their time has
// come, which is later and later.
func (c *Core) probeSeeds(now time.Time, atOnce bool) {
	if len(c.seeds) == 0 {
		return
	}
	if !atOnce && now.Before(c.seedsAt) {
		c.wakeAt(c.seedsAt)
		return
	}
	c.seedsAt = now.Add(c.backoff(c.seedProbes + 3))
	c.seedProbes++
	c.wakeAt(c.seedsAt)
	for _, s := range c.seeds {
		c.probeSeed(now, s)
	}
}

func (c *Core) probeSeed(now time.Time, s *seed) {
	if c.named(s.node.Name) == nil && (s.probing.IsZero() || !now.Before(s.probing)) {
		s.probing = now.Add(c.cfg.DialTimeout)
		c.emit(overlay.Probe{Addr: s.addr})
	}
}

// found asks whoever answers at a seed's address.
func (c *Core) found(now time.Time, ev overlay.Found) {
	i := slices.IndexFunc(c.seeds, func(s *seed) bool { return s.addr == ev.Addr })
	if i < 0 || c.seeds[i].probing.IsZero() {
		return
	}
	if ev.Node.Name == c.cfg.Self.Name { // it was this node itself
		c.seeds = slices.Delete(c.seeds, i, i+1)
		return
	}
	s := c.seeds[i]
	s.node, s.probing = ev.Node, time.Time{}
	if c.learn(ev.Node, true) && !now.Before(c.member(ev.Node.Name).next) {
		c.want(now, ev.Node)
	}
}

// interval repeats what may have been lost, and looks for what may be there: a
// server asks a random member whether it knows of others, which is how the parts
// of a healed partition find together, and probes a random seed that is no member.
func (c *Core) interval(now time.Time) {
	for _, p := range c.peers {
		if p.state == neighbor {
			c.send(p, News{Claims: c.known()})
		}
	}
	c.forget(now)
	if len(c.seeds) > 0 {
		if s := c.seeds[c.cfg.Rand.IntN(len(c.seeds))]; c.member(s.node.Name) == nil {
			c.probeSeed(now, s)
		}
	}
	if c.serving && len(c.members) > 0 {
		if m := c.members[c.cfg.Rand.IntN(len(c.members))]; c.named(m.node.Name) == nil && !now.Before(m.next) {
			c.want(now, m.node)
		}
	}
}

// neighborUp says that p is a neighbor.
func (c *Core) neighborUp(p *peer) {
	c.seedProbes = 0
	c.emit(overlay.NeighborUp{Node: p.node})
}
