package clientserver

import (
	"errors"
	"fmt"
)

// valid checks the invariants of [Core] between two calls, for tests.
func (c *Core) valid() error {
	var errs []error
	bad := func(invariant int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("invariant %d: "+format, append([]any{invariant}, args...)...))
	}
	for i, p := range c.peers {
		if i > 0 && c.peers[i-1].node.Name >= p.node.Name || p.node.Name == c.cfg.Self.Name || p.node.Valid() != nil || p.due.IsZero() {
			bad(1, "peer %v twice, out of order, this node, none, or for ever", p.node)
		}
		if p.state == stranger && !p.accepted {
			bad(7, "the link to %v serves nothing", p.node)
		}
	}
	servers, clients := c.count()
	if clients > c.cfg.MaxClients+c.cfg.MaxClaims || servers > c.cfg.MaxClaims || len(c.peers)-servers-clients > c.cfg.MaxLinks {
		bad(3, "%d servers and %d clients of %d peers", servers, clients, len(c.peers))
	}
	for i, m := range c.members {
		if i > 0 && c.members[i-1].node.Name >= m.node.Name || m.node.Name == c.cfg.Self.Name || m.node.Valid() != nil {
			bad(4, "member %v twice, out of order, or none", m.node)
		}
		if c.lostAt(m.node.Name) >= 0 {
			bad(4, "%v is a member and lost", m.node)
		}
	}
	if len(c.members) > c.cfg.MaxMembers || len(c.seeds) > c.cfg.MaxSeeds || len(c.lost) > maxLost {
		bad(4, "%d members, %d seeds, %d lost", len(c.members), len(c.seeds), len(c.lost))
	}
	if c.left {
		return errors.Join(errs...)
	}
	own := Idle
	for i, cl := range c.claims {
		m := c.member(cl.Node.Name)
		if i > 0 && c.claims[i-1].Node.Name >= cl.Node.Name || cl.Node != c.cfg.Self && (m == nil || m.node != cl.Node) {
			bad(5, "the claim of %v is twice, out of order, or of no member", cl.Node)
		}
		if cl.Node == c.cfg.Self {
			own = cl.Standing
		}
	}
	if len(c.claims) > c.cfg.MaxClaims || own != c.standing() {
		bad(5, "%d claims; this node's is %d, and it is %d", len(c.claims), own, c.standing())
	}
	if c.serving && c.cfg.Role == Client || !c.serving && c.cfg.Role == Server {
		bad(6, "a node with the role %s serves: %v", c.cfg.Role, c.serving)
	}
	return errors.Join(errs...)
}
