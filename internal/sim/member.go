package sim

import "github.com/topos-go/topos/overlay"

// memberUp notes that node i has been told that who is a member.
func (w *world) memberUp(i int32, who overlay.Node) {
	n, j := &w.nodes[i], w.index(who.Name)
	if n.whole == nil { // a topology by itself, which says so too
		return
	}
	if j < 0 || j == i || n.holds(j) && w.boot(j) == uint32(who.Boot) {
		w.violation("member", "node %d: %v is up, but was already, or cannot be", i, who)
		return
	}
	n.ups++
	if w.boot(j) == uint32(who.Boot) {
		n.hold(j)
	}
}

// memberDown notes that node i has been told that who is a member no more.
func (w *world) memberDown(i int32, who overlay.Node, reason error) {
	n, j := &w.nodes[i], w.index(who.Name)
	if n.whole == nil {
		return
	}
	n.ups--
	if j < 0 || w.boot(j) != uint32(who.Boot) {
		return // an earlier incarnation
	}
	if !n.holds(j) {
		w.violation("member", "node %d: %v is down, but was not up", i, who)
		n.ups++
		return
	}
	n.views[j>>6] &^= 1 << (j & 63)
	if w.nodes[j].state == live && !w.parted(i, j) {
		w.counts.evicted++
		if w.calm {
			w.violation("member", "node %d: %v is down, but lives: %v", i, who, reason)
		}
	}
}

// nobodyKnows forgets who had an earlier incarnation of place i for a member: it is
// counted as one, and is none of the places.
func (w *world) nobodyKnows(i int32) {
	if !w.cfg.Directory || w.boot(i) == 1 {
		return
	}
	for k := range w.nodes {
		if n := &w.nodes[k]; n.holds(i) {
			n.views[i>>6] &^= 1 << (i & 63)
		}
	}
}

// holds reports whether the node that runs at place j, or has run there last, is a
// member to n.
func (n *node) holds(j int32) bool { return int(j>>6) < len(n.views) && n.views[j>>6]&(1<<(j&63)) != 0 }

func (n *node) hold(j int32) {
	for int(j>>6) >= len(n.views) {
		n.views = append(n.views, 0)
	}
	n.views[j>>6] |= 1 << (j & 63)
}
