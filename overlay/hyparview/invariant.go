package hyparview

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/overlay"
)

// valid checks the invariants of [Core] between two calls, for tests.
func (c *Core) valid() error {
	var errs []error
	bad := func(invariant int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("invariant %d: "+format, append([]any{invariant}, args...)...))
	}
	names, numbers := map[string]bool{c.cfg.Self.Name: true}, map[uint32]bool{}
	for _, p := range c.peers {
		if names[p.node.Name] {
			bad(1, "peer %v twice, or this node", p.node)
		}
		names[p.node.Name] = true
		if p.state != stranger && !p.linked {
			bad(2, "%v is not linked", p.node)
		}
		if (p.mine != 0) != (p.state != stranger) || (p.theirs != 0) != (p.state == neighbor) || p.mine != 0 && numbers[p.mine] {
			bad(5, "%v has numbers %d and %d in state %d", p.node, p.mine, p.theirs, p.state)
		}
		numbers[p.mine] = true
		if p.linked && p.state == stranger && !p.accepted && !c.needed(p.node) {
			bad(6, "the link to %v serves nothing", p.node)
		}
		if (p.ask != nothing) != (p.state == asking || p.state == stranger && !p.linked && p.ask != nothing) {
			bad(2, "%v is asked for %d in state %d", p.node, p.ask, p.state)
		}
		if p.due == 0 {
			bad(2, "%v waits for ever", p.node)
		}
	}
	if n := c.count(neighbor); n > c.cfg.ActiveSize || len(c.peers) > c.cfg.ActiveSize+c.cfg.MaxLinks {
		bad(3, "%d neighbors of %d peers", n, len(c.peers))
	}
	errs = append(errs, c.validPassive(), c.validXBot())
	for _, e := range c.errands {
		if p := c.peer(e.to); p == nil || p.linked {
			bad(7, "nobody goes on the errand to %v", e.to)
		}
	}
	if c.tried > len(c.passive) || len(c.gone) > c.cfg.MaxGone || len(c.seeds.list) > c.cfg.MaxSeeds || len(c.errands) > maxErrands {
		bad(7, "%d tried, %d gone, %d seeds, %d errands", c.tried, len(c.gone), len(c.seeds.list), len(c.errands))
	}
	return errors.Join(errs...)
}

func (c *Core) validPassive() error {
	names := map[string]bool{c.cfg.Self.Name: true}
	for _, p := range c.peers {
		if p.state == neighbor {
			names[p.node.Name] = true
		}
	}
	for _, node := range c.Passive() {
		if names[node.Name] || node.Valid() != nil {
			return fmt.Errorf("invariant 4: %v is passive", node)
		}
		names[node.Name] = true
	}
	if len(c.passive) > c.cfg.PassiveSize {
		return fmt.Errorf("invariant 4: %d nodes are passive", len(c.passive))
	}
	return nil
}

// validXBot checks that what is asked for an exchange is asked of the one whom
// it needs, so that the request can be written at any time.
func (c *Core) validXBot() error {
	for _, p := range c.peers {
		wanted := overlay.Node{}
		switch p.ask {
		case askOptimize:
			if ex := c.xbotRole(initiator); ex != nil {
				wanted = ex.candidate
			}
		case askSwitch:
			if ex := c.xbotRole(switching); ex != nil {
				wanted = ex.old
			}
		default:
			continue
		}
		if wanted != p.node {
			return fmt.Errorf("invariant 8: %v is asked for an exchange that is not", p.node)
		}
	}
	if c.xbot != nil && len(c.xbot.costs) > c.cfg.ActiveSize+2*c.xbot.cfg.Scan+1 {
		return fmt.Errorf("invariant 8: %d costs are known", len(c.xbot.costs))
	}
	return nil
}
