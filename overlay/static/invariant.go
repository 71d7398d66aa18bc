package static

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
	guests := 0
	for i, p := range c.peers {
		if p.phase >= dialing {
			if names[p.node.Name] {
				bad(1, "peer %v twice, or this node", p.node)
			}
			names[p.node.Name] = true
		}
		if p.guest() {
			guests++
			if !p.phase.linked() {
				bad(2, "the guest %v is not linked", p.node)
			}
		} else if guests > 0 {
			bad(4, "peer %d is configured and stands behind a guest", i)
		}
		if (p.phase == neighbor) != p.due.IsZero() && p.phase != waiting {
			bad(3, "%v waits in phase %d until %v", p.node, p.phase, p.due)
		}
		if p.name != "" && !p.node.IsZero() && p.node.Name != p.name {
			bad(5, "%v is taken for %s", p.node, p.name)
		}
	}
	if guests > c.cfg.MaxGuests || len(c.peers)-guests > c.cfg.MaxPeers || guests > 0 && c.cfg.Accept != Anyone {
		bad(4, "%d guests of %d peers", guests, len(c.peers))
	}
	return errors.Join(errs...)
}
