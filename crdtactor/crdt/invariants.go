package crdt

import "fmt"

// valid returns an error when an invariant of the state is broken. It looks at
// everything and is for tests.
func (c *causal) valid(s shape) error {
	if c.book == nil {
		return nil
	}
	if err := c.book.seen.valid(); err != nil {
		return fmt.Errorf("context: %w", err)
	}
	home := map[Dot]*node{}
	if err := c.root.valid(s, &c.book.seen, home); err != nil {
		return err
	}
	for _, k := range c.book.seen.known {
		for _, p := range k.seqs {
			for seq := p.first; seq <= p.last && c.book.seen.superseded(k.replica); seq++ {
				if home[Dot{k.replica, seq}] == nil || k.fold > 0 {
					return fmt.Errorf("%s has dots that do not live, and was folded", k.replica)
				}
			}
		}
	}
	x := c.book.index
	if x == nil {
		return nil
	}
	if len(x.home) != len(home) {
		return fmt.Errorf("%d dots live, the index has %d", len(home), len(x.home))
	}
	spent := 0
	for dot, n := range home {
		if x.home[dot] != n {
			return fmt.Errorf("%v does not live where the index says", dot)
		}
		if b := n.birth(dot); b.spent() != x.spent[dot.Replica][dot] {
			return fmt.Errorf("%v: spent is %v, the index differs", dot, b.spent())
		} else if b.spent() {
			spent++
		}
	}
	for _, dots := range x.spent {
		spent -= len(dots)
	}
	if spent != 0 {
		return fmt.Errorf("the index has %d spent runs too many", -spent)
	}
	return nil
}

// valid checks n and what is below, and records in home where dots live.
func (n *node) valid(s shape, seen *CausalContext, home map[Dot]*node) error {
	if s.depth > 0 && len(n.births) > 0 || s.depth == 0 && len(n.kids) > 0 {
		return fmt.Errorf("%q: births at the wrong depth", n.name)
	}
	for i := range n.births {
		b := &n.births[i]
		switch {
		case home[b.Dot] != nil:
			return fmt.Errorf("%v lives twice", b.Dot)
		case !seen.Contains(b.Dot):
			return fmt.Errorf("%v lives and nobody has seen it", b.Dot)
		case i > 0 && n.births[i-1].Compare(b.Dot) >= 0:
			return fmt.Errorf("%v is out of order", b.Dot)
		case b.plain() == s.runs || b.gone > b.adds:
			return fmt.Errorf("%v: bad run %+v", b.Dot, b.run)
		}
		home[b.Dot] = n
	}
	for name, kid := range n.kids {
		if kid.name != name || kid.up != n || kid.empty() {
			return fmt.Errorf("%q does not hang right", name)
		}
		if err := kid.valid(shape{depth: s.depth - 1, runs: s.runs}, seen, home); err != nil {
			return err
		}
	}
	return nil
}

// valid returns an error when an invariant of the counts is broken.
func (c *counts) valid() error {
	for i, share := range c.list {
		if share.replica == "" || share.up > maxCount || share.down > maxCount || share.version() == 0 {
			return fmt.Errorf("bad share %+v", share)
		}
		if i > 0 && c.list[i-1].replica >= share.replica {
			return fmt.Errorf("%s is out of order", share.replica)
		}
		if c.superseded(share.replica) {
			return fmt.Errorf("%s is in a later share as well", share.replica)
		}
	}
	return nil
}
