package gossip

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
	names := map[string]bool{c.cfg.Self.Name: true}
	for _, p := range c.peers {
		if names[p.node.Name] || p.node.Valid() != nil {
			bad(1, "peer %v twice, or this node, or none", p.node)
		}
		names[p.node.Name] = true
		if p.due.IsZero() {
			bad(2, "%v waits for ever", p.node)
		}
		if p.state == stranger && !p.accepted {
			bad(6, "the link to %v serves nothing", p.node)
		}
	}
	if n := c.count(); n > 2*c.cfg.MaxFanout || len(c.peers) > 2*c.cfg.MaxFanout+c.cfg.MaxLinks {
		bad(3, "%d neighbors of %d peers", n, len(c.peers))
	}
	for i, m := range c.members {
		if i > 0 && c.members[i-1].node.Name >= m.node.Name || m.node.Name == c.cfg.Self.Name || m.node.Valid() != nil {
			bad(4, "member %v twice, out of order, or none", m.node)
		}
		if c.fadedAt(m.node.Name) >= 0 {
			bad(5, "%v is a member and faded", m.node)
		}
	}
	if len(c.members) > c.cfg.MaxKnown || len(c.faded) > c.cfg.MaxFaded || len(c.seeds) > c.cfg.MaxSeeds {
		bad(5, "%d members, %d faded, %d seeds", len(c.members), len(c.faded), len(c.seeds))
	}
	return errors.Join(errs...)
}
