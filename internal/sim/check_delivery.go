package sim

import "github.com/topos-go/topos/overlay/plumtree"

// checkDelivered is the check of a delivery at its moment: no incarnation has a
// broadcast twice, or one that nobody has made.
func (w *world) checkDelivered(i int32, id int, d plumtree.Deliver) {
	c := &w.book.casts[id]
	if c.has(i) {
		w.violation("delivery", "node %d delivers broadcast %d again", i, id)
	}
	if c.flood || d.ID.Origin != w.who(c.origin, c.boot) {
		w.violation("delivery", "node %d delivers broadcast %d of %v, which is of node %d/%d", i, id, d.ID.Origin, c.origin, c.boot)
	}
}

// checkDelivery: what is promised and has come to anybody who lives, has come to
// all who have lived since it was broadcast.
func checkDelivery(w *world, report func(string, ...any) bool) {
	for id := range w.book.casts {
		c := &w.book.casts[id]
		if !c.covered || !w.known(c) {
			continue
		}
		for i := range w.nodes {
			if n := &w.nodes[i]; n.state == live && n.since <= c.at && !c.has(int32(i)) {
				if !report("node %d has not delivered broadcast %d", i, id) {
					return
				}
			}
		}
	}
}

// known reports whether a broadcast has come to a live node.
func (w *world) known(c *cast) bool {
	if w.runs(c.origin, c.boot) {
		return true
	}
	for i := range w.nodes {
		if w.nodes[i].state == live && c.has(int32(i)) {
			return true
		}
	}
	return false
}
