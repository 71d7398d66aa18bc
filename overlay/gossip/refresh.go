package gossip

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

// refresh changes the sample a little, tells the neighbors that they are, and
// looks for those that have been lost.
func (c *Core) refresh(now time.Time) {
	for _, p := range c.peers {
		if p.state == neighbor {
			c.send(p, Sample{Nodes: c.sample(p)})
		}
	}
	if m := c.pick(now); m != nil && c.count() >= c.Fanout() {
		c.want(now, m.node, true)
	}
	c.faded = slices.DeleteFunc(c.faded, func(f faded) bool { return !now.Before(f.until) })
	c.probeFaded(now)
	c.probeSeeds(now, false)
}

// probeFaded probes a random one of those that have not left.
func (c *Core) probeFaded(now time.Time) {
	var picked overlay.Node
	n := 0
	for _, f := range c.faded {
		if f.left || !now.Before(f.until) {
			continue
		}
		n++
		if c.cfg.Rand.IntN(n) == 0 {
			picked = f.node
		}
	}
	if n > 0 {
		c.emit(overlay.Probe{Addr: picked.Addr()})
	}
}

// probeSeeds probes all seeds whose node is not linked, or a random one of those
// whose node is no member: members are drawn anyway.
func (c *Core) probeSeeds(now time.Time, all bool) {
	var idle []*seed
	for _, s := range c.seeds {
		_, known := c.memberAt(s.node.Name)
		if p := c.named(s.node.Name); p == nil && (all || !known) && (s.probing.IsZero() || !now.Before(s.probing)) {
			idle = append(idle, s)
		}
	}
	if !all && len(idle) > 0 {
		i := c.cfg.Rand.IntN(len(idle))
		idle = idle[i : i+1]
	}
	for _, s := range idle {
		s.probing = now.Add(c.cfg.DialTimeout)
		c.emit(overlay.Probe{Addr: s.addr})
	}
}

// found asks whoever has answered at a seed's address, or where a faded node
// was: it may be what joins two parts of a cluster.
func (c *Core) found(now time.Time, ev overlay.Found) {
	node := ev.Node
	var expected bool
	for i, s := range c.seeds {
		if s.addr != ev.Addr {
			continue
		}
		if node.Name == c.cfg.Self.Name { // it was this node itself
			c.seeds = slices.Delete(c.seeds, i, i+1)
			return
		}
		expected = !s.probing.IsZero()
		s.node, s.probing = node, time.Time{}
		break
	}
	for _, f := range c.faded {
		expected = expected || f.node.Addr() == ev.Addr && !f.left
	}
	if !expected || node.Valid() != nil || c.Outdated(node) != nil {
		return
	}
	c.learn(node, true)
	if i, ok := c.memberAt(node.Name); ok && !now.Before(c.members[i].next) {
		c.want(now, node, true)
	}
}

func (c *Core) probeFailed(now time.Time, addr string) {
	for _, s := range c.seeds {
		if s.addr == addr {
			s.probing = time.Time{}
		}
	}
}
