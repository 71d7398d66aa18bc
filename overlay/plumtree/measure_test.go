package plumtree

import "time"

// flood returns in how many hops a message that is flooded is everywhere.
func (w *world) flood(from int) (depth int) {
	return w.spread(from, func(a, b int) bool { _, ok := w.links[link(a, b)]; return ok })
}

// spread returns the depth of the tree of shortest paths from a host over the
// links that are used, or -1 if it does not reach every host.
func (w *world) spread(from int, used func(a, b int) bool) (depth int) {
	adjacent := make([][]int, len(w.hosts))
	for l := range w.links {
		adjacent[l[0]] = append(adjacent[l[0]], l[1])
		adjacent[l[1]] = append(adjacent[l[1]], l[0])
	}
	reached := map[int]bool{from: true}
	for front := []int{from}; ; depth++ {
		var next []int
		for _, a := range front {
			for _, b := range adjacent[a] {
				if !reached[b] && used(a, b) {
					reached[b] = true
					next = append(next, b)
				}
			}
		}
		if front = next; len(front) == 0 {
			break
		}
	}
	if len(reached) < len(w.live()) {
		return -1
	}
	return depth
}

// round is what one broadcast has cost.
type round struct {
	id         ID
	redundancy float64
	lastHop    int
	reached    int
	graftsSent uint64
}

// measure has host i broadcast, waits, and counts.
func (w *world) measure(i int, wait time.Duration) round {
	before := w.total()
	r := round{id: w.broadcast(i)}
	w.run(wait)
	after := w.total()
	for _, h := range w.live() {
		if hops, ok := h.delivered[r.id]; ok {
			r.reached++
			r.lastHop = max(r.lastHop, hops)
		}
	}
	payloads := after.Delivered + after.Duplicates - after.Broadcast - (before.Delivered + before.Duplicates - before.Broadcast)
	r.redundancy = float64(payloads)/float64(len(w.live())-1) - 1
	r.graftsSent = after.GraftSent - before.GraftSent
	return r
}

func (w *world) total() (s Stats) {
	for _, h := range w.live() {
		c := h.core.Stats()
		s.Broadcast += c.Broadcast
		s.Delivered += c.Delivered
		s.Duplicates += c.Duplicates
		s.GossipSent += c.GossipSent
		s.IHaveSent += c.IHaveSent
		s.GraftSent += c.GraftSent
		s.PruneSent += c.PruneSent
		s.Optimized += c.Optimized
		s.Repaired += c.Repaired
		s.Missed += c.Missed
		s.Strangers += c.Strangers
		s.Malformed += c.Malformed
		s.Refused += c.Refused
		s.Stale += c.Stale
	}
	return s
}
