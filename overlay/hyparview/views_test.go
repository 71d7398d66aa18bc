package hyparview

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// alive returns the places at which a node runs.
func (w *world) alive() []*place {
	return slices.DeleteFunc(slices.Clone(w.places), func(p *place) bool { return p.core == nil })
}

// wrong returns what is wrong with active views: who holds a node that does not
// run, or that does not have it, or that it has not announced.
func (w *world) wrong() map[string]bool {
	wrong := make(map[string]bool)
	for _, p := range w.alive() {
		for _, q := range p.core.peers {
			if q.state != neighbor {
				continue
			}
			if other := w.place(q.node.Addr()); !w.live(other, q.node) {
				wrong[fmt.Sprintf("%s has %s, which does not run", p.node, q.node)] = true
			} else if !other.has(p.node) {
				wrong[fmt.Sprintf("%s has %s, which does not have it, as #%d", p.node, q.node, q.mine)] = true
			}
			if !p.ups[q.node] {
				wrong[fmt.Sprintf("%s has not announced %s", p.node, q.node)] = true
			}
		}
		if n := p.core.count(neighbor); n != len(p.ups) {
			wrong[fmt.Sprintf("%s has announced %d neighbors and has %d", p.node, len(p.ups), n)] = true
		}
	}
	return wrong
}

// lasting returns what is wrong, and still is when messages that are under way
// have come.
func (w *world) lasting() []string {
	lasting := w.wrong()
	for range 3 {
		w.run(700 * time.Millisecond)
		now := w.wrong()
		maps.DeleteFunc(lasting, func(what string, _ bool) bool { return !now[what] })
	}
	return slices.Sorted(maps.Keys(lasting))
}

// has reports whether node is in the active view of the node at p.
func (p *place) has(node overlay.Node) bool {
	q := p.core.peer(node)
	return q != nil && q.state == neighbor
}

// parts returns the sizes of the connected parts, the largest first, over links
// that both sides have in their active views.
func (w *world) parts() []int {
	seen := make([]bool, len(w.places))
	var sizes []int
	for _, p := range w.alive() {
		if seen[p.index] {
			continue
		}
		seen[p.index] = true
		part := []*place{p}
		for i := 0; i < len(part); i++ {
			for _, q := range part[i].core.peers {
				if q.state != neighbor {
					continue
				}
				other := w.place(q.node.Addr())
				if w.live(other, q.node) && !seen[other.index] && other.has(part[i].node) {
					seen[other.index] = true
					part = append(part, other)
				}
			}
		}
		sizes = append(sizes, len(part))
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	return sizes
}

// degrees returns how many nodes have how many neighbors.
func (w *world) degrees() []int {
	count := make([]int, w.cfg.ActiveSize+DefaultActiveSize+1)
	for _, p := range w.alive() {
		count[len(p.core.Active())]++
	}
	return count
}

// dead returns how many entries of the passive views do not run.
func (w *world) dead() int {
	n := 0
	for _, p := range w.alive() {
		for _, node := range p.core.Passive() {
			if !w.live(w.place(node.Addr()), node) {
				n++
			}
		}
	}
	return n
}

// extra returns how many links there are besides those between neighbors.
func (w *world) extra() int {
	n := 0
	for _, p := range w.alive() {
		n += len(p.core.peers) - p.core.count(neighbor)
	}
	return n
}

// meanCost returns the mean latency between neighbors.
func (w *world) meanCost() time.Duration {
	var sum time.Duration
	n := 0
	for _, p := range w.alive() {
		for _, node := range p.core.Active() {
			sum += w.latency(p.index, w.place(node.Addr()).index)
			n++
		}
	}
	return sum / time.Duration(max(1, n))
}

// sound fails the test unless the active views are symmetric, without dead
// nodes, and connect all live ones.
func (w *world) sound(when string) {
	w.t.Helper()
	for _, p := range w.alive() {
		if err := p.core.valid(); err != nil {
			w.t.Errorf("%s: %s: %v", when, p.node, err)
		}
	}
	if lasting := w.lasting(); len(lasting) > 0 {
		w.t.Errorf("%s: %d wrong, such as %s", when, len(lasting), lasting[0])
	}
	if parts := w.parts(); len(parts) != 1 {
		w.t.Errorf("%s: the live nodes are in parts of %v", when, parts)
	}
}

// until lets time pass until ok, at most limit, and returns how long it took.
func (w *world) until(limit, every time.Duration, ok func() bool) time.Duration {
	begin := w.now
	for !ok() && w.now.Sub(begin) < limit {
		w.run(every)
	}
	return w.now.Sub(begin)
}

// healed reports whether the live nodes are one, and hold on to no dead one.
func (w *world) healed() bool {
	for _, p := range w.alive() {
		for _, q := range p.core.peers {
			if q.state == neighbor && !w.live(w.place(q.node.Addr()), q.node) {
				return false
			}
		}
	}
	return len(w.parts()) == 1
}

// neighbors returns the pairs of neighbors, for comparison.
func (w *world) neighbors() string {
	out := ""
	for _, p := range w.alive() {
		out += fmt.Sprintln(p.node, p.core.Active(), p.core.Passive())
	}
	return out
}
