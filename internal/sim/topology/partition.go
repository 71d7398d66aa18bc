package topology

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Partition splits the world: links across it break for both ends.
func (w *World[C]) Partition(cut func(a, b int) bool) {
	var across [][2]int
	for k := range w.pairs {
		if cut(k[0], k[1]) {
			across = append(across, k)
		}
	}
	slices.SortFunc(across, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for _, k := range across {
		w.Sever(k[0], k[1])
	}
	w.cut = cut
	w.across(func(p, q *Place[C]) {
		self := p.Node
		w.after(time.Duration(1000+w.Rng.IntN(1000))*time.Millisecond, func() {
			w.Tell(p.Index, self, overlay.Lost{Node: q.Node, Err: overlay.ErrSilent})
		})
	})
}

// Heal ends a partition. A directory learns of it once two nodes have a link
// across; here it is told after a while.
func (w *World[C]) Heal(meet bool) {
	if meet {
		w.across(func(p, q *Place[C]) {
			if p.Index < q.Index {
				w.introduce(p, q)
			}
		})
	}
	w.cut = uncut
}

// across visits the live nodes that are cut off from each other, if there is a
// directory.
func (w *World[C]) across(visit func(p, q *Place[C])) {
	for _, p := range w.Alive() {
		for _, q := range w.Alive() {
			if w.Known && p != q && w.cut(p.Index, q.Index) {
				visit(p, q)
			}
		}
	}
}
