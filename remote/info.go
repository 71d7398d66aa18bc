package remote

import (
	"cmp"
	"slices"

	"github.com/topos-go/topos/actor"
)

// LaneInfo is the state of one lane at one moment.
type LaneInfo struct {
	Node    actor.NodeID
	Channel string
	Lane    int
	// Connected says whether it has a connection. A lane without one makes
	// one when there is something to send.
	Connected bool
	// Relayed says whether that leads over another node.
	Relayed bool
	// Waiting is how many bytes have not been confirmed by the other node, and
	// Unsent how many of these have not even been begun.
	Waiting, Unsent int
	// Frames is how many frames have been queued so far, Unconfirmed how many
	// of these have not been confirmed, and Received how many have come.
	Frames, Unconfirmed, Received uint64
	// Written is how many bytes have been written to connections, compressed
	// and repeated as they were.
	Written uint64
}

// Channels returns the channels this node sends over, with their defaults
// filled in, by name.
func (n *Node) Channels() []Channel {
	all := make([]Channel, 0, len(n.channels))
	for _, ch := range n.channels {
		all = append(all, *ch)
	}
	slices.SortFunc(all, func(a, b Channel) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Lanes returns the state of every lane to every known node, by node, channel
// and number.
func (n *Node) Lanes() []LaneInfo {
	var all []LaneInfo
	for _, p := range n.peers.all() {
		for _, s := range *p.streams.Load() {
			for _, l := range s.all() {
				all = append(all, l.info())
			}
		}
	}
	slices.SortFunc(all, func(a, b LaneInfo) int {
		return cmp.Or(overlayNode(a.Node).Compare(overlayNode(b.Node)), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Lane, b.Lane))
	})
	return all
}

func (l *lane) info() LaneInfo {
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	return LaneInfo{
		Node: l.peer.id, Channel: l.stream.ch.Name, Lane: l.index, Connected: l.link != nil,
		Relayed: l.link != nil && l.link.conn.relayed,
		Waiting: l.out.size(), Unsent: l.out.queue.bytes,
		Frames: l.pushed, Unconfirmed: l.out.unconfirmed(), Received: l.received.Load(), Written: l.spent.Load(),
	}
}
