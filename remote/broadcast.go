package remote

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
)

const (
	// MaxBroadcast is the largest payload of [Node.Broadcast] in bytes. It goes over
	// the connections that heartbeats go over, which it must not keep waiting.
	MaxBroadcast = 64 << 10
	// maxBroadcast bounds what nodes broadcast in one message: a payload with its
	// topic, or what the overlay itself has to say.
	maxBroadcast = MaxBroadcast + 512
	// fullBacklog is how much may wait for a neighbor until this node broadcasts
	// nothing more, and maxBacklog until the connection is given up: others' broadcasts
	// come all the same.
	fullBacklog = 4 << 20
	maxBacklog  = 16 << 20
)

// BroadcastFunc handles the broadcasts of one topic. Those of one kind, causal or
// not, come one after the other; those of the two kinds may come at the same time.
// The payload is its own. It may take its time, and may broadcast; while it runs, what
// else comes of its kind waits, for the handlers of all topics. It may call any method
// of the Node but Close and Leave.
type BroadcastFunc func(from actor.NodeID, payload []byte)

// BroadcastOption is an option of [Node.Broadcast].
type BroadcastOption func(*announcement)

// InCausalOrder has a broadcast delivered in causal order with all others that have
// this option, of whatever topic: see [Node.Broadcast].
func InCausalOrder() BroadcastOption { return func(a *announcement) { a.causal = true } }

// announcement asks drive to broadcast something.
type announcement struct {
	envelope []byte
	causal   bool
	answer   chan error // capacity 1
}

// Broadcast has payload handled on every member, this node included, by whoever
// handles topic there. It goes over the topology's connections, from neighbor to
// neighbor; in HyParView, a node sends it to a few others, however many there are.
//
// Without options, each member delivers it once at most, in no order, not even with
// others of this node. Every member delivers it that stays connected to the others,
// over whatever way, in spite of lost connections, of partitions shorter than a minute,
// and of the death of this node once a neighbor has it: each keeps a broadcast for a
// minute, in memory for 4096 of them or 16 MiB, and asks its neighbors for what it
// lacks. So a node that has just joined may deliver broadcasts of the last minute.
// After that, it is missed: counted in Stats.BroadcastsMissed. See package plumtree.
//
// With [InCausalOrder], each member delivers it once at most, and after all broadcasts
// with the option that this node had delivered before, or sent. Members that stay
// connected, over links that do not break, deliver each exactly once, also while the
// topology changes. Nothing is kept to be sent again: what is on its way on a
// connection that breaks comes over others or is missed, and what is said on one side
// of a partition is never heard on the other. Then order is kept, with a gap: counted
// in Stats.BroadcastsMissed, and a pcbroadcast.Gap in an [OverlayReport]. A node that
// joins delivers what is broadcast from then on. Every node sends each broadcast to all
// of its neighbors: that is for topologies with few of them. See package pcbroadcast.
//
// Neither is promised to be handled: a node whose handlers are too slow drops what
// finds no room; see Stats.BroadcastsDropped. Nor does it survive a crash of this node
// before a neighbor has it.
//
// payload may be used again afterwards. Broadcast does not wait for the network. It
// returns when the broadcast has begun. The error wraps [ErrTooLarge] for more than
// [MaxBroadcast] bytes, [ErrQueueFull] if a neighbor does not keep up, [ErrNotStarted]
// or [ErrClosed]; with the last one, it may have begun. It must not be called by a
// function that was given to [Node.Observe].
func (n *Node) Broadcast(topic string, payload []byte, opts ...BroadcastOption) error {
	if topic == "" || len(topic) > maxTopic {
		return fmt.Errorf("remote: topic %q must have 1 to %d bytes", topic, maxTopic)
	}
	if len(payload) > MaxBroadcast {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: a broadcast of %d bytes, at most %d", ErrTooLarge, len(payload), MaxBroadcast)
	}
	a := announcement{envelope: envelop(topic, payload), answer: make(chan error, 1)}
	for _, opt := range opts {
		opt(&a)
	}
	n.state.Lock()
	started, closed := n.started, n.closed
	n.state.Unlock()
	switch {
	case closed:
		return ErrClosed
	case !started:
		return ErrNotStarted
	}
	select {
	case n.inbox <- a:
	case <-n.ctx.Done():
		return ErrClosed
	}
	select {
	case err := <-a.answer:
		return err
	case <-n.ctx.Done():
		return ErrClosed
	}
}

// HandleBroadcast lets f handle what nodes, this one included, broadcast to topic with
// [Node.Broadcast], in place of who did so before; a nil f lets nobody. What comes for
// a topic without a handler is counted and dropped, so it had better be called before
// [Node.Start].
//
// f is called on a goroutine of the node's own, which Close waits for. There is no
// order between this and what subscribers are told: what a node has broadcast may come
// before it is up, and after it is down.
func (n *Node) HandleBroadcast(topic string, f BroadcastFunc) {
	d := &n.broadcasts
	d.mu.Lock()
	defer d.mu.Unlock()
	if f == nil {
		delete(d.byTopic, topic)
		return
	}
	d.byTopic[topic] = f
}

// envelop puts a payload and its topic together.
func envelop(topic string, payload []byte) []byte {
	b := make([]byte, 0, 1+len(topic)+len(payload))
	return append(append(append(b, byte(len(topic))), topic...), payload...)
}

// open is the inverse of envelop. It reports false for what envelop has not made.
func open(envelope []byte) (topic string, payload []byte, ok bool) {
	if len(envelope) < 2 || envelope[0] == 0 || len(envelope) < 1+int(envelope[0]) {
		return "", nil, false
	}
	end := 1 + int(envelope[0])
	return string(envelope[1:end]), envelope[end:], true
}

// announce carries out what Broadcast asks for.
func (n *Node) announce(a announcement) error {
	if n.leaving {
		return ErrClosed
	}
	for node := range n.core.linked {
		if p := n.peers.find(handleOf(node)); p != nil && p.backlog() > fullBacklog {
			n.stats.queueFull.Add(1)
			return fmt.Errorf("%w: %v does not keep up with broadcasts", ErrQueueFull, node.Name)
		}
	}
	effects := n.core.Step(time.Now(), overlay.Broadcast{Payload: a.envelope, Causal: a.causal})
	n.carryOut(effects)
	for _, e := range effects {
		if report, ok := e.(overlay.Report); ok {
			if rejected, ok := report.Value.(plumtree.Rejected); ok {
				return fmt.Errorf("%w: %w", ErrQueueFull, rejected.Reason)
			}
		}
	}
	n.stats.broadcasts.Add(1)
	return nil
}

// backlog returns how many bytes wait to be sent over the membership lane.
func (p *peer) backlog() int {
	s := p.membership.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.membership.link == nil {
		return 0 // it begins anew with the next connection
	}
	return p.membership.out.size()
}

// relieve gives the membership lane's connection up, if the other side takes so little
// that what waits would grow for ever. The overlay finds another neighbor, or the same
// one again.
func (p *peer) relieve() {
	if p.backlog() <= maxBacklog {
		return
	}
	s := p.membership.stream
	s.mu.Lock()
	k := p.membership.link
	s.mu.Unlock()
	if k != nil {
		k.fail(errStalled)
	}
}

// missed counts what the overlay says will never be delivered.
func (n *Node) missed(report any) {
	switch r := report.(type) {
	case plumtree.Missed:
		if !errors.Is(r.Reason, plumtree.ErrBefore) {
			n.stats.broadcastsMissed.Add(r.Last - r.First + 1)
		}
	case pcbroadcast.Gap:
		n.stats.broadcastsMissed.Add(r.Last - r.First + 1)
	}
}
