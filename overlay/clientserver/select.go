package clientserver

import (
	"slices"
	"time"

	"github.com/topos-go/topos/internal/hash"
	"github.com/topos-go/topos/overlay"
)

// settle makes what is known come true: it selects servers, links to whom this
// node should be linked, and parts from the others.
func (c *Core) settle(now time.Time) {
	c.wake = time.Time{}
	c.elect(now)
	if c.serving {
		c.linkServers(now)
	} else {
		c.linkClient(now)
	}
	c.tell()
}

// elect changes who serves, if a change has been due for Settle.
func (c *Core) elect(now time.Time) {
	change := c.change()
	if change == nil || c.cfg.Role != Auto {
		c.changeAt = time.Time{}
		return
	}
	if c.changeAt.IsZero() {
		c.changeAt = now.Add(c.cfg.Settle)
	}
	at := c.changeAt
	if len(c.members) == 0 && len(c.seeds) > 0 && !c.serving {
		at = c.began.Add(c.cfg.Patience)
	}
	if now.Before(at) {
		c.wakeAt(at)
		return
	}
	c.changeAt = time.Time{}
	change(now)
}

// change returns what this node is to do about the servers; nil if nothing.
func (c *Core) change() func(now time.Time) {
	servers := bySeniority(c.servers())
	switch {
	case len(servers) == 0:
		if first := c.candidates(1); len(first) == 1 && first[0] == c.cfg.Self {
			return func(time.Time) { c.declare(Serving) }
		}
	case c.serving && c.cfg.MaxServers >= 0 && len(servers) > c.cfg.MaxServers:
		rank := slices.IndexFunc(servers, func(cl Claim) bool { return cl.Node == c.cfg.Self })
		if rank >= c.cfg.MaxServers {
			return func(now time.Time) {
				c.declare(Idle)
				c.steppedDown = now
			}
		}
	case servers[0].Node == c.cfg.Self && len(servers) < c.cfg.Servers:
		if appointed := c.candidates(c.cfg.Servers - len(servers)); len(appointed) > 0 {
			return func(time.Time) {
				for _, n := range appointed {
					c.clock++
					c.record(Claim{n, c.clock, Serving})
				}
			}
		}
	}
	return nil
}

// candidates returns the first n nodes, in their order, that may be selected: the
// rule by which every node selects the same of the same members.
func (c *Core) candidates(n int) []overlay.Node {
	var nodes []overlay.Node
	self := c.cfg.Role == Auto && !c.serving
	for _, m := range c.members {
		if len(nodes) >= n {
			return nodes
		}
		if self && c.cfg.Self.Name < m.node.Name {
			nodes, self = append(nodes, c.cfg.Self), false
		}
		if len(nodes) < n && !c.serves(m.node) && !c.never(m.node) && !c.absent(m) {
			nodes = append(nodes, m.node)
		}
	}
	if self && len(nodes) < n {
		nodes = append(nodes, c.cfg.Self)
	}
	return nodes
}

// linkServers links a server to all others. Of two, the lesser dials.
func (c *Core) linkServers(now time.Time) {
	for _, cl := range c.claims {
		m := c.member(cl.Node.Name)
		if cl.Standing != Serving || m == nil || m.node != cl.Node {
			continue
		}
		if p := c.named(m.node.Name); p != nil && p.state != stranger {
			continue
		}
		if m.yield.IsZero() && c.cfg.Self.Name > m.node.Name {
			m.yield = now.Add(c.cfg.Yield)
		}
		at := m.next
		if m.yield.After(at) {
			at = m.yield
		}
		c.wantAt(now, at, m.node)
	}
	if !slices.ContainsFunc(c.peers, func(p *peer) bool { return p.state == neighbor }) {
		c.probeSeeds(now, false)
	}
}

// wantAt asks node to be a neighbor when the time at has come.
func (c *Core) wantAt(now, at time.Time, node overlay.Node) {
	if now.Before(at) {
		c.wakeAt(at)
		return
	}
	c.want(now, node)
}

// linkClient links a client to its servers, and parts from others once that is
// done. If no server is known, it asks those who would be selected.
func (c *Core) linkClient(now time.Time) {
	wanted := c.choose(now)
	linked := 0
	for _, n := range wanted {
		if p := c.named(n.Name); p != nil && p.state == neighbor {
			linked++
		} else {
			c.want(now, n)
		}
	}
	complete := linked == len(wanted) && linked > 0
	for _, p := range slices.Clone(c.peers) {
		mine := c.serves(p.node) || c.steppedDown.IsZero() // as against a client of this former server
		switch {
		case p.state != neighbor || slices.Contains(wanted, p.node):
		case mine && complete, !mine && c.lingered(now):
			c.part(now, p, broken)
		}
	}
	if servers, _ := c.count(); servers > 0 || len(wanted) > 0 {
		return
	}
	for _, n := range c.candidates(c.cfg.Servers) {
		if m := c.member(n.Name); m != nil {
			c.wantAt(now, m.next, n)
		}
	}
	c.probeSeeds(now, false)
}

// lingered reports whether it is long enough ago that this node stepped down: its
// clients have had the time to go.
func (c *Core) lingered(now time.Time) bool {
	at := c.steppedDown.Add(c.cfg.Linger)
	if now.Before(at) {
		c.wakeAt(at)
		return false
	}
	return true
}

// choose returns the servers that this client should be linked to at the moment:
// those with the highest scores among the ones that are not to be left alone for a
// while.
func (c *Core) choose(now time.Time) []overlay.Node {
	type scored struct {
		node  overlay.Node
		score uint64
	}
	var all []scored
	for _, cl := range c.claims {
		m := c.member(cl.Node.Name)
		if cl.Standing != Serving || m == nil || m.node != cl.Node {
			continue
		}
		p := c.named(m.node.Name)
		if now.Before(m.next) && (p == nil || p.state != neighbor) {
			c.wakeAt(m.next)
			continue
		}
		all = append(all, scored{m.node, score(c.cfg.Self.Name, m.node.Name)})
	}
	slices.SortFunc(all, func(a, b scored) int {
		if a.score != b.score {
			if a.score > b.score {
				return -1
			}
			return 1
		}
		return a.node.Compare(b.node)
	})
	var nodes []overlay.Node
	for _, s := range all[:min(len(all), c.cfg.ClientLinks)] {
		nodes = append(nodes, s.node)
	}
	return nodes
}

// score is how much a client likes a server: rendezvous hashing, after Thaler and
// Ravishankar. When a server comes or goes, only its own clients change.
func score(client, server string) uint64 {
	return hash.Of(client + "\x00" + server)
}
