package remote

import (
	"context"
	"slices"
	"sync"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
)

const (
	// maxUnheard and maxUnheardBytes bound what waits for this node's handlers of
	// broadcasts, of each kind: some seconds of a busy cluster, in the memory of a
	// small machine.
	maxUnheard      = 4096
	maxUnheardBytes = 16 << 20
)

// broadcastDesk hands broadcasts to their handlers, those of each kind on a goroutine
// of its own.
type broadcastDesk struct {
	mu      sync.RWMutex
	byTopic map[string]BroadcastFunc

	plain, causal unheard
}

func (d *broadcastDesk) init() {
	d.byTopic = make(map[string]BroadcastFunc)
	d.plain.wake, d.causal.wake = make(chan struct{}, 1), make(chan struct{}, 1)
}

func (d *broadcastDesk) find(topic string) BroadcastFunc {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byTopic[topic]
}

// unheard is what waits for handlers.
type unheard struct {
	mu      sync.Mutex
	waiting []heard
	bytes   int           // of waiting, and of what is being handled
	count   int           // likewise
	wake    chan struct{} // capacity 1
}

// heard is a broadcast that has come.
type heard struct {
	from     actor.NodeID
	envelope []byte
}

// hear queues what the overlay delivers, if somebody wants it and there is room.
func (n *Node) hear(e overlay.Deliver) {
	topic, _, ok := open(e.Payload)
	if !ok {
		n.stats.undecodable.Add(1)
		n.quiet.warn("malformed broadcast", "from", e.Origin.Name)
		return
	}
	if n.broadcasts.find(topic) == nil {
		n.unheard(topic, nodeID(e.Origin))
		return
	}
	u := &n.broadcasts.plain
	if e.Causal {
		u = &n.broadcasts.causal
	}
	if !u.push(heard{nodeID(e.Origin), e.Payload}) {
		n.stats.broadcastsDropped.Add(1)
		n.quiet.warn("broadcast dropped: handlers do not keep up", "topic", topic, "from", e.Origin.Name)
	}
}

// unheard accounts for a broadcast that nobody handles.
func (n *Node) unheard(topic string, from actor.NodeID) {
	n.stats.unhandled.Add(1)
	n.quiet.warn("no handler for broadcasts of a topic", "topic", topic, "from", from)
}

// push reports false if there is no room for h.
func (u *unheard) push(h heard) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count >= maxUnheard || u.bytes+len(h.envelope) > maxUnheardBytes {
		return false
	}
	u.waiting = append(u.waiting, h)
	u.count++
	u.bytes += len(h.envelope)
	select {
	case u.wake <- struct{}{}:
	default:
	}
	return true
}

// handleBroadcasts calls handlers with what waits in u until ctx ends.
func (n *Node) handleBroadcasts(ctx context.Context, u *unheard) {
	for {
		u.mu.Lock()
		batch := u.waiting
		u.waiting = nil
		u.mu.Unlock()
		for _, h := range batch {
			if ctx.Err() != nil {
				return
			}
			n.handleBroadcast(h)
			u.mu.Lock()
			u.count--
			u.bytes -= len(h.envelope)
			u.mu.Unlock()
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-u.wake:
		case <-ctx.Done():
			return
		}
	}
}

// handleBroadcast gives one broadcast to its handler, with a payload of its own: others
// are still sent the one that came.
func (n *Node) handleBroadcast(h heard) {
	topic, payload, _ := open(h.envelope)
	f := n.broadcasts.find(topic)
	if f == nil {
		n.unheard(topic, h.from)
		return
	}
	n.stats.broadcastsHandled.Add(1)
	f(h.from, slices.Clone(payload))
}
