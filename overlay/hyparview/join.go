package hyparview

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// seeds are addresses at which somebody may be found.
type seeds struct {
	list  []seed
	at    time.Duration // when to probe next, while a join is wanted
	tries int
	visit string // the address that is probed for a visit
}

type seed struct {
	addr    string
	wanted  bool // a join is wanted, through this or any other that is
	probing bool
}

// wanted reports whether a join is wanted through any seed.
func (s *seeds) wanted() bool {
	return slices.ContainsFunc(s.list, func(s seed) bool { return s.wanted })
}

// due returns when seeds are to be probed; 0 is never.
func (s *seeds) due() time.Duration {
	if !s.wanted() {
		return 0
	}
	return s.at
}

// rejoin makes a join wanted at now, through whichever seed, if none is.
func (s *seeds) rejoin(now time.Duration) {
	if s.wanted() {
		return
	}
	for i := range s.list {
		s.list[i].wanted = true
	}
	s.at, s.tries = max(now, 1), 0
}

// again sets when a join that has failed is tried again.
func (s *seeds) again(at time.Duration) { s.at = at }

// joined says that no join is wanted any more.
func (s *seeds) joined() {
	for i := range s.list {
		s.list[i].wanted = false
	}
}

func (s *seeds) index(addr string) int {
	return slices.IndexFunc(s.list, func(s seed) bool { return s.addr == addr })
}

// join adds addresses, and joins through one of these, even if this node has
// neighbors: that makes one cluster of two.
func (c *Core) join(addrs []string) {
	for _, addr := range addrs {
		if addr == "" || addr == c.cfg.Self.Addr() {
			continue
		}
		s := &c.seeds
		s.list = slices.DeleteFunc(s.list, func(s seed) bool { return s.addr == addr })
		if len(s.list) >= c.cfg.MaxSeeds {
			s.list = slices.Delete(s.list, 0, 1)
		}
		s.list = append(s.list, seed{addr: addr, wanted: true})
		s.at, s.tries = max(c.now, 1), 0
	}
	if c.begun {
		c.probe()
	}
}

// joining reports whether somebody is being asked for a join.
func (c *Core) joining() bool {
	return slices.ContainsFunc(c.peers, func(p *peer) bool { return p.ask == askJoin })
}

// probe looks for somebody at every seed, if it is time to.
func (c *Core) probe() {
	if !due(c.seeds.due(), c.now) {
		return
	}
	c.seeds.at = c.now + c.jitter(c.cfg.Retry<<min(c.seeds.tries, maxDoublings))
	c.seeds.tries++
	if c.joining() {
		return
	}
	for i := range c.seeds.list {
		if s := &c.seeds.list[i]; s.wanted && !s.probing {
			s.probing = true
			c.emit(overlay.Probe{Addr: s.addr})
		}
	}
}

// found takes the answer of whoever listens at an address. The first seed that
// answers is asked for a join, the others are candidates.
func (c *Core) found(ev overlay.Found) {
	node, i := ev.Node, c.seeds.index(ev.Addr)
	if i >= 0 {
		c.seeds.list[i].probing = false
		if node.Name == c.cfg.Self.Name {
			c.seeds.list = slices.Delete(c.seeds.list, i, i+1) // it was this node itself
			return
		}
	}
	if node.Valid() != nil || node.Name == c.cfg.Self.Name {
		return
	}
	if ev.Addr == node.Addr() {
		c.correct(node)
	}
	if i < 0 {
		c.checked(node)
		return
	}
	visit := c.seeds.visit == ev.Addr
	if visit {
		c.seeds.visit = ""
	}
	p, s := c.peer(node), c.seeds.list[i]
	switch {
	case p != nil && p.state == neighbor:
		if s.wanted {
			c.seeds.joined()
		}
	case c.departed(node, true):
	case s.wanted && !c.joining():
		c.want(node, askJoin)
	case visit && !s.wanted:
		c.post(node, c.newShuffle(node))
	default:
		c.learn(node, nil)
	}
}

func (c *Core) probeFailed(addr string) {
	if i := c.seeds.index(addr); i >= 0 {
		c.seeds.list[i].probing = false
	}
	for _, k := range c.passive {
		if node := *k; node.Addr() == addr && c.peer(node) == nil {
			c.unreachable(node)
			c.check(1)
			return
		}
	}
}

// joined lets a node into the cluster: the contact takes it for a neighbor in
// any case, and sends it on a random walk from each of the others (section 4.2,
// Algorithm 1).
func (c *Core) joined(p *peer, m Join) {
	again := p.state == neighbor && p.theirs == m.Number
	c.asked(p, m.Number, true)
	if again || p.state != neighbor {
		return
	}
	for _, other := range c.peers {
		if other.state == neighbor && other != p {
			c.send(other, ForwardJoin{Node: p.node, TTL: c.cfg.ARWL})
		}
	}
}

// forwardJoin is one step of that walk. Where it ends the node becomes a
// neighbor; PRWL steps before that it becomes a candidate.
func (c *Core) forwardJoin(p *peer, m ForwardJoin) {
	if p.state != neighbor || m.Node.Valid() != nil || m.Node.Name == c.cfg.Self.Name || c.departed(m.Node, false) {
		return
	}
	ttl := max(0, min(m.TTL, c.cfg.ARWL))
	if ttl == c.cfg.PRWL {
		c.learn(m.Node, nil)
	}
	if ttl > 0 {
		if to := c.randomNeighbor(p.node, m.Node); to != nil {
			c.send(to, ForwardJoin{Node: m.Node, TTL: ttl - 1})
			return
		}
	}
	c.want(m.Node, askHigh)
}

// scheduleRefresh sets when to refresh next: soon after the start, when many may
// have joined at once and parts may have formed, then less and less often.
func (c *Core) scheduleRefresh() {
	if c.cfg.Refresh > 0 {
		wait := min(c.cfg.Refresh, c.cfg.ShuffleInterval<<min(c.refreshes, maxRefreshDoublings))
		c.refreshAt = c.now + c.jitter(wait)
		c.refreshes++
	}
}

// maxRefreshDoublings is enough for any Refresh there may be.
const maxRefreshDoublings = 16

// refresh swaps a random neighbor for a random node, and shuffles with a seed.
// Views that are full never change by themselves, so without it a cluster that
// was parted for long would stay in parts, each with full views. The seeds make
// the parts known to each other, the swaps join them, and every node bears the
// same share of the cost. It also helps one that has room, while nobody whom it
// knows has.
func (c *Core) refresh() {
	if n := len(c.seeds.list); n > 0 && !c.seeds.wanted() {
		s := &c.seeds.list[c.cfg.Rand.IntN(n)]
		s.probing = true
		c.seeds.visit = s.addr
		c.emit(overlay.Probe{Addr: s.addr})
	}
	if n := len(c.passive); n > 0 {
		c.want(*c.passive[c.cfg.Rand.IntN(n)], askHigh)
	}
}
