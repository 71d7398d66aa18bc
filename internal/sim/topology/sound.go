package topology

import (
	"fmt"
	"slices"
)

// Linked reports whether a or b knows of a link between them.
func (w *World[C]) Linked(a, b int) bool {
	p := w.pairs[key(a, b)]
	return p != nil && (p.ends[0] != 0 || p.ends[1] != 0)
}

// Sound checks what must hold whenever nothing is under way: neighbors are
// symmetric, live, and linked, and every core keeps its invariants.
func (w *World[C]) Sound() error {
	for _, p := range w.Alive() {
		if err := w.protocol.Valid(p.Core); err != nil {
			return fmt.Errorf("%v: %w", p.Node, err)
		}
		for _, n := range p.Core.Neighbors() {
			q := w.Place(n.Addr())
			if !w.Live(q, n) {
				return fmt.Errorf("%v has the dead neighbor %v", p.Node, n)
			}
			if !slices.Contains(q.Core.Neighbors(), p.Node) {
				return fmt.Errorf("%v has the neighbor %v, which does not have it", p.Node, n)
			}
			if l := w.pair(p.Index, q.Index); l.ends[0] == 0 || l.ends[0] != l.ends[1] {
				return fmt.Errorf("%v and %v are not linked", p.Node, n)
			}
		}
	}
	return nil
}
