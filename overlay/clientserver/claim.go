package clientserver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// maxLeap is how far ahead of all that is known a claim's number may be. Numbers
// grow by one with each change of a node's standing.
const maxLeap = 1 << 32

func (c *Core) claimAt(name string) (int, bool) {
	return slices.BinarySearchFunc(c.claims, name, func(cl Claim, name string) int { return strings.Compare(cl.Node.Name, name) })
}

// declare says what this node is from now on.
func (c *Core) declare(s Standing) {
	c.clock++
	c.serving = s == Serving
	c.record(Claim{c.cfg.Self, c.clock, s})
}

// standing is what this node is.
func (c *Core) standing() Standing {
	switch {
	case c.serving:
		return Serving
	case c.cfg.Role == Client:
		return Never
	}
	return Idle
}

// record remembers a claim that is newer than what is known, to be told to others.
// Servers have precedence when there are too many.
func (c *Core) record(cl Claim) {
	i, ok := c.claimAt(cl.Node.Name)
	switch {
	case ok:
		c.claims[i] = cl
	case len(c.claims) < c.cfg.MaxClaims:
		c.claims = slices.Insert(c.claims, i, cl)
	case cl.Standing != Serving && cl.Node != c.cfg.Self:
		return
	default:
		j := slices.IndexFunc(c.claims, func(other Claim) bool { return other.Standing != Serving && other.Node != c.cfg.Self })
		if j < 0 {
			if cl.Node != c.cfg.Self {
				return
			}
			j = len(c.claims) - 1
		}
		c.claims = slices.Delete(c.claims, j, j+1)
		c.record(cl)
		return
	}
	c.news = append(c.news, cl)
}

// retract forgets what an earlier incarnation of node has claimed.
func (c *Core) retract(node overlay.Node) {
	if i, ok := c.claimAt(node.Name); ok && c.claims[i].Node != node {
		c.claims = slices.Delete(c.claims, i, i+1)
	}
}

// hear takes what p claims.
func (c *Core) hear(now time.Time, p *peer, claims []Claim) {
	for _, cl := range claims[:min(len(claims), c.cfg.MaxClaims)] {
		if cl.Number == 0 || cl.Number > c.clock+maxLeap || cl.Standing > Never {
			continue
		}
		if cl.Node.Name == c.cfg.Self.Name {
			c.hearOfSelf(cl)
			continue
		}
		c.hearOf(cl)
		if m := c.member(cl.Node.Name); m != nil && cl.Standing == Serving && c.serves(p.node) {
			m.named = now
		}
	}
}

// forgetClaims drops what is said of servers that this client is not linked to, and
// that no server has named for two and a half Intervals: those are linked to each
// other, and know.
func (c *Core) forgetClaims(now time.Time) {
	c.claims = slices.DeleteFunc(c.claims, func(cl Claim) bool {
		m := c.member(cl.Node.Name)
		if c.serving || m == nil || cl.Standing != Serving || now.Sub(m.named) < c.cfg.Interval*5/2 {
			return false
		}
		p := c.named(cl.Node.Name)
		return p == nil || p.state != neighbor
	})
}

func (c *Core) hearOf(cl Claim) {
	i, ok := c.claimAt(cl.Node.Name)
	itself := cl.Node.Name == c.source
	switch {
	case ok && (c.claims[i].Node.Newer(cl.Node) || c.claims[i].Node == cl.Node && c.claims[i].Number >= cl.Number):
		return
	case !ok && cl.Standing != Serving && !itself:
		return // it contradicts nothing
	}
	if !c.learn(cl.Node, itself) {
		return
	}
	c.clock = max(c.clock, cl.Number)
	if cl.Standing == Serving { // it was not before, and need not be left alone
		m := c.member(cl.Node.Name)
		m.next, m.refusals = time.Time{}, 0
	}
	tell := ok || cl.Standing == Serving
	n := len(c.news)
	c.record(cl)
	if !tell {
		c.news = c.news[:n]
	}
}

// hearOfSelf accepts an appointment, and denies what is not so.
func (c *Core) hearOfSelf(cl Claim) {
	i, ok := c.claimAt(cl.Node.Name)
	if cl.Node != c.cfg.Self || ok && c.claims[i].Number >= cl.Number {
		return
	}
	c.clock = max(c.clock, cl.Number)
	if cl.Standing == Serving && c.cfg.Role == Auto {
		c.declare(Serving)
		return
	}
	c.declare(c.standing())
}

// serves reports whether node is a server, as far as this one knows.
func (c *Core) serves(node overlay.Node) bool {
	i, ok := c.claimAt(node.Name)
	return ok && c.claims[i].Node == node && c.claims[i].Standing == Serving
}

// never reports whether a node's configuration says that it is a client.
func (c *Core) never(node overlay.Node) bool {
	i, ok := c.claimAt(node.Name)
	return ok && c.claims[i].Node == node && c.claims[i].Standing == Never
}

// servers returns the claims of all servers that are not absent, by name.
func (c *Core) servers() []Claim {
	var servers []Claim
	for _, cl := range c.claims {
		if cl.Standing != Serving {
			continue
		}
		if m := c.member(cl.Node.Name); cl.Node == c.cfg.Self || m != nil && m.node == cl.Node && !c.absent(m) {
			servers = append(servers, cl)
		}
	}
	return servers
}

// bySeniority sorts servers, the most senior one first.
func bySeniority(servers []Claim) []Claim {
	slices.SortFunc(servers, func(a, b Claim) int { return cmp.Or(cmp.Compare(a.Number, b.Number), a.Node.Compare(b.Node)) })
	return servers
}

// known returns the claims that are worth telling: those of servers that are not
// absent, and of those that were or might be taken for some.
func (c *Core) known() []Claim {
	var claims []Claim
	for _, cl := range c.claims {
		m := c.member(cl.Node.Name)
		if cl.Node == c.cfg.Self || cl.Standing != Never && m != nil && !c.absent(m) {
			claims = append(claims, cl)
		}
	}
	return claims
}

// tell tells the neighbors what has changed; who has told it is told only what this
// node is, which is an answer.
func (c *Core) tell() {
	own := slices.DeleteFunc(slices.Clone(c.news), func(cl Claim) bool { return cl.Node != c.cfg.Self })
	for _, p := range c.peers {
		news := c.news
		if p.node.Name == c.source {
			news = own
		}
		if p.state == neighbor && len(news) > 0 {
			c.send(p, News{Claims: news})
		}
	}
	c.news, c.source = nil, ""
}
