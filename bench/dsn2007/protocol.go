package main

import "slices"

// The parameters of the paper's evaluation.
const (
	activeSize     = 5
	passiveSize    = 30
	activeWalk     = 6 // how far a join is forwarded
	passiveWalk    = 3 // how many steps it has left where it is taken into a passive view
	shuffleActive  = 3
	shufflePassive = 4
)

// priority is what a node asks to be a neighbor with.
type priority bool

const (
	low  priority = false // refused by who has no room
	high priority = true  // for who has no neighbor left: never refused
)

// join takes newcomer in at contact, which sends it on random walks from all its neighbors.
func (w *world) join(newcomer, contact int32) {
	w.link(newcomer, contact)
	for _, n := range slices.Clone(w.active[contact].nodes) {
		if n != newcomer {
			w.forwardJoin(n, newcomer, contact)
		}
	}
	w.repairAll()
}

// forwardJoin walks until the steps are done, or there is no further way.
func (w *world) forwardJoin(at, newcomer, from int32) {
	for ttl := activeWalk; ; ttl-- {
		next, further := w.active[at].other(w.rng, from)
		if ttl == 0 || !further {
			w.link(at, newcomer)
			return
		}
		if ttl == passiveWalk {
			w.addPassive(at, newcomer)
		}
		at, from = next, at
	}
}

// link makes two nodes neighbors, each of which drops a random one if it has no room.
func (w *world) link(a, b int32) {
	if a == b || w.active[a].has(b) {
		return
	}
	w.admit(a, b)
	w.admit(b, a)
}

// admit takes peer into the active view of n.
func (w *world) admit(n, peer int32) {
	if w.active[n].full() {
		dropped, _ := w.active[n].other(w.rng, peer)
		w.active[n].remove(dropped)
		w.addPassive(n, dropped)
		w.disconnected(dropped, n)
	}
	w.passive[n].remove(peer)
	w.active[n].nodes = append(w.active[n].nodes, peer)
}

// disconnected tells n that peer has dropped it.
func (w *world) disconnected(n, peer int32) {
	if !w.dead[n] && w.active[n].remove(peer) {
		w.addPassive(n, peer)
		w.damaged(n)
	}
}

// addPassive takes peer into the passive view of n, in place of a random one if need be.
func (w *world) addPassive(n, peer int32) {
	v := &w.passive[n]
	if n == peer || v.has(peer) || w.active[n].has(peer) {
		return
	}
	if v.full() {
		some, _ := v.other(w.rng, peer)
		v.remove(some)
	}
	v.nodes = append(v.nodes, peer)
}

// failed is what n does when it has found out that its neighbor peer has failed.
func (w *world) failed(n, peer int32) {
	w.active[n].remove(peer)
	w.damaged(n)
}

// repair fills the active view of n from its passive one: candidates are connected in a random
// order, those that have failed are forgotten, those that refuse are kept. The paper replaces
// the neighbor that is lost; who lacks more is given more here.
func (w *world) repair(n int32) {
	for _, c := range w.passive[n].sample(w.rng, passiveSize) {
		if w.active[n].full() {
			return
		}
		if w.dead[c] {
			w.passive[n].remove(c)
			continue
		}
		if w.favorable {
			w.notice(c)
		}
		asks := priority(len(w.active[n].nodes) == 0)
		if w.passive[n].has(c) && (asks == high || !w.active[c].full()) {
			w.link(n, c)
		}
	}
}

// shuffle sends a sample of n's views on a random walk, and exchanges it where that ends.
func (w *world) shuffle(n int32) {
	sent := append(w.active[n].sample(w.rng, shuffleActive), w.passive[n].sample(w.rng, shufflePassive)...)
	sent = append(sent, n)
	at, from := n, n
	for ttl := activeWalk; ttl > 0; ttl-- {
		next, further := w.next(at, from)
		if !further {
			break
		}
		at, from = next, at
	}
	if at == n {
		return
	}
	answer := w.passive[at].sample(w.rng, len(sent))
	w.integrate(at, sent, answer)
	w.integrate(n, answer, sent)
}

// next returns a random neighbor of n, but not from; those that turn out to have failed are
// lost, and another one is taken.
func (w *world) next(n, from int32) (int32, bool) {
	for {
		next, ok := w.active[n].other(w.rng, from)
		if !ok || !w.dead[next] {
			return next, ok
		}
		w.failed(n, next)
	}
}

// integrate takes what n has been sent into its passive view, in place of what it has sent
// itself, as long as there is any.
func (w *world) integrate(n int32, got, sent []int32) {
	for _, peer := range got {
		if n == peer || w.active[n].has(peer) || w.passive[n].has(peer) {
			continue
		}
		for w.passive[n].full() && len(sent) > 0 {
			w.passive[n].remove(sent[0])
			sent = sent[1:]
		}
		w.addPassive(n, peer)
	}
}
