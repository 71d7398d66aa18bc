package main

import "math/rand/v2"

// world is all nodes. What one sends to another is done at once.
type world struct {
	favorable       bool
	rng             *rand.Rand
	active, passive []view
	dead            []bool
	live            []int32

	waiting []int32 // for repair, whose active views are damaged
	waits   []bool

	seen  []int32 // the last broadcast that a node has got
	count int32
	queue []hop
}

// hop is a broadcast on its way.
type hop struct{ from, to int32 }

// newWorld has the nodes join one after the other through the first.
func newWorld(nodes int, favorable bool, rng *rand.Rand) *world {
	w := &world{favorable: favorable, rng: rng, active: make([]view, nodes), passive: make([]view, nodes), dead: make([]bool, nodes),
		waits: make([]bool, nodes), seen: make([]int32, nodes)}
	for n := range int32(nodes) {
		w.active[n].size, w.passive[n].size = activeSize, passiveSize
		w.live = append(w.live, n)
		if n > 0 {
			w.join(n, 0)
		}
	}
	return w
}

func (w *world) damaged(n int32) {
	if !w.waits[n] {
		w.waits[n] = true
		w.waiting = append(w.waiting, n)
	}
}

// repairAll repairs what is damaged, and what that damages.
func (w *world) repairAll() {
	for i := 0; i < len(w.waiting); i++ {
		n := w.waiting[i]
		w.waits[n] = false
		w.repair(n)
	}
	w.waiting = w.waiting[:0]
}

// cycle lets each node shuffle once. Whoever lacks neighbors looks for some, which the paper
// does not say.
func (w *world) cycle() {
	for _, i := range w.rng.Perm(len(w.live)) {
		n := w.live[i]
		w.shuffle(n)
		if !w.active[n].full() {
			w.damaged(n)
		}
		w.repairAll()
	}
}

// fail ends that many nodes at once. Nobody notices it.
func (w *world) fail(nodes int) {
	w.rng.Shuffle(len(w.live), func(i, j int) { w.live[i], w.live[j] = w.live[j], w.live[i] })
	for _, n := range w.live[:nodes] {
		w.dead[n] = true
	}
	w.live = w.live[nodes:]
}

// flood broadcasts from origin over the active views, and returns the share of the live nodes
// that it has reached. Failed neighbors are noticed, and replaced at once.
func (w *world) flood(origin int32) float64 {
	w.count++
	w.queue = append(w.queue[:0], hop{origin, origin})
	reached := 0
	for i := 0; i < len(w.queue); i++ {
		from, n := w.queue[i].from, w.queue[i].to
		if w.dead[n] || w.seen[n] == w.count {
			continue
		}
		w.seen[n] = w.count
		reached++
		if w.favorable {
			w.noticeAll(n)
		}
		for _, peer := range w.active[n].nodes {
			if peer != from {
				w.queue = append(w.queue, hop{n, peer})
			}
		}
		w.noticeAll(n)
	}
	return float64(reached) / float64(len(w.live))
}

// noticeAll has n find out which of its neighbors have failed, and repairs what that damages.
func (w *world) noticeAll(n int32) {
	w.notice(n)
	w.repairAll()
}

// notice has n find out which of its neighbors have failed.
func (w *world) notice(n int32) {
	for i := 0; i < len(w.active[n].nodes); {
		if peer := w.active[n].nodes[i]; w.dead[peer] {
			w.failed(n, peer)
		} else {
			i++
		}
	}
}
