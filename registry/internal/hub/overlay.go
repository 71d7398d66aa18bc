package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// Link says who are neighbors; near must be the same both ways. Without it, or with
// nil, all are linked to all.
func (h *Hub) Link(near func(a, b actor.NodeID) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.near = near
}

// Far is how much longer payloads take between those who are not neighbors: they
// have to connect first.
func (h *Hub) Far(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.far = d
}

// Tardy is how much later than payloads the news comes that a node is up. What it
// broadcasts at once comes before.
func (h *Hub) Tardy(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tardy = d
}

// Linked reports whether all are linked to all.
func (e *End) Linked() bool {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	return e.hub.near == nil
}

// Neighbors are the members that are linked to this one.
func (e *End) Neighbors() []actor.NodeID {
	e.hub.mu.Lock()
	near := e.hub.near
	e.hub.mu.Unlock()
	return slices.DeleteFunc(e.Members(), func(n actor.NodeID) bool {
		return n == e.self || near != nil && !near(e.self, n)
	})
}

// Broadcast sends to all on the same side, this node included: to each after a time
// of its own, so in no order, or not at all. It counts as one payload for each.
func (e *End) Broadcast(topic string, payload []byte) error {
	h := e.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.dead {
		return actor.ErrNoConnection
	}
	ids := make([]actor.NodeID, 0, len(h.ends))
	for id := range h.ends {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compare)
	for _, id := range ids {
		if !h.joined(e.self, id) {
			continue
		}
		h.sent++
		h.bytes += len(payload)
		if h.loss > 0 && h.rand.Float64() < h.loss || h.lose != nil && h.lose(e.self, id, topic) {
			continue
		}
		h.ends[id].post(item{from: e.self, topic: topic, payload: slices.Clone(payload), toAll: true}, h.latency)
	}
	return nil
}

// HandleBroadcast sets the handler of a topic's broadcasts.
func (e *End) HandleBroadcast(topic string, f func(actor.NodeID, []byte)) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hears[topic] = f
}

// Spoken returns to whom payloads were sent since it was last called, broadcasts not
// among them.
func (e *End) Spoken() []actor.NodeID {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	nodes := slices.SortedFunc(maps.Keys(e.spoken), compare)
	clear(e.spoken)
	return nodes
}
