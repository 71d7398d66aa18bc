package remote

import (
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
)

// Stats are counts since the node was made.
type Stats struct {
	// Sent and Received count signals between processes, that is messages,
	// requests, replies, exits, links and monitors.
	Sent, Received uint64
	// ControlSent and ControlReceived count payloads of [Node.SendControl].
	ControlSent, ControlReceived uint64
	// QueueFull counts sends refused because too much waited for the node.
	QueueFull uint64
	// Throttled counts how often a process of another node has asked for no
	// more messages until it has caught up.
	Throttled uint64
	// Dropped counts messages dropped to make room on channels whose WhenFull
	// is DropOldest, Replaced those replaced by newer ones on monotonic ones.
	Dropped, Replaced uint64
	// LanesOpened and LanesClosed count how often a channel's lanes became
	// more and fewer, ShardsMoved how often messages changed lanes while
	// others before them were still under way.
	LanesOpened, LanesClosed, ShardsMoved uint64
	// OutcomeUnknown counts acknowledged messages that were given up without
	// an answer, Resent those that were sent again.
	OutcomeUnknown, Resent uint64
	// Released counts messages with a label of causal delivery that were
	// delivered without something that had happened before them; CausalDead
	// those that came too late for their place, and became dead letters.
	Released, CausalDead uint64
	// Labels is how many labels there are, and Held how many messages wait in
	// them for others, at this moment.
	Labels, Held int
	// TooLarge counts sends refused because of their size.
	TooLarge uint64
	// Unencodable counts sends refused because of their type or value.
	Unencodable uint64
	// Undecodable counts messages that arrived and that this node could not
	// decode: dead letters.
	Undecodable uint64
	// Unhandled counts payloads for a topic without a handler, broadcasts among them.
	Unhandled uint64
	// Broadcasts counts those of this node, BroadcastsHandled what handlers were given,
	// those of this node among it, BroadcastsDropped what found no room because they
	// did not keep up, and BroadcastsMissed what this node has learned of and will
	// never deliver, in causal order or otherwise, the overlay's own among it.
	Broadcasts, BroadcastsHandled, BroadcastsDropped, BroadcastsMissed uint64
	// Unconfirmed counts what was sent to nodes that went down before they
	// confirmed it: it may have arrived or not.
	Unconfirmed uint64
	// Recycled counts large payloads that were read into memory in which others had
	// been received before.
	Recycled uint64
	// Ballast is how many bytes the node holds at this moment; see [Config].
	Ballast int
	// Refused counts connections that this node did not accept.
	Refused uint64
	// BadFrames counts connections cut because of a frame that broke the
	// protocol.
	BadFrames uint64
	// DialsFailed counts attempts to connect in vain.
	DialsFailed uint64
	// Relayed counts messages of the overlay that this node has given to others to
	// pass on, or has passed on for them.
	Relayed uint64
	// Tunnelled counts connections that this node has led on to another one.
	Tunnelled uint64
}

type counters struct {
	sent, received, controlSent, controlReceived              atomic.Uint64
	queueFull, tooLarge, unencodable, undecodable             atomic.Uint64
	unhandled, unconfirmed, refused, badFrames                atomic.Uint64
	dialsFailed, relayed, tunnelled, stops, dropped, replaced atomic.Uint64
	unknown, resent, moved, lanesOpened, lanesClosed          atomic.Uint64
	released, causalDead                                      atomic.Uint64
	broadcasts, broadcastsHandled                             atomic.Uint64
	broadcastsDropped, broadcastsMissed                       atomic.Uint64
}

// Stats returns the counts of this moment.
func (n *Node) Stats() Stats {
	c := &n.stats
	labels, held := n.talks.held()
	return Stats{
		Labels: labels, Held: held, Released: c.released.Load(), CausalDead: c.causalDead.Load(),
		Sent: c.sent.Load(), Received: c.received.Load(),
		ControlSent: c.controlSent.Load(), ControlReceived: c.controlReceived.Load(),
		QueueFull: c.queueFull.Load(), TooLarge: c.tooLarge.Load(),
		Unencodable: c.unencodable.Load(), Undecodable: c.undecodable.Load(),
		Unhandled: c.unhandled.Load(), Unconfirmed: c.unconfirmed.Load(),
		Recycled: n.recycler.reused(), Ballast: n.ballast.held(), Refused: c.refused.Load(), Throttled: c.stops.Load(), LanesOpened: c.lanesOpened.Load(), LanesClosed: c.lanesClosed.Load(), ShardsMoved: c.moved.Load(),
		OutcomeUnknown: c.unknown.Load(), Resent: c.resent.Load(), Dropped: c.dropped.Load(), Replaced: c.replaced.Load(), BadFrames: c.badFrames.Load(), DialsFailed: c.dialsFailed.Load(),
		Relayed: c.relayed.Load(), Tunnelled: c.tunnelled.Load(),
		Broadcasts: c.broadcasts.Load(), BroadcastsHandled: c.broadcastsHandled.Load(),
		BroadcastsDropped: c.broadcastsDropped.Load(), BroadcastsMissed: c.broadcastsMissed.Load(),
	}
}

// Event is something that happened on the way between nodes and that a person
// or a metric may want to know: [NodeLost], [CausalGap], [ConnectionRefused],
// [Undelivered], [TopologyChanged] or [OverlayReport]. The set is closed.
type Event interface{ event() }

// OverlayReport: a protocol of the overlay has something to tell, such as a
// directory.PartitionDetected or a swim.Suspected.
type OverlayReport struct{ Value any }

// NodeLost: a node has been given up, after its processes' links and monitors
// have fired.
type NodeLost struct {
	Node   actor.NodeID
	Reason error
	// Unconfirmed is how many signals and payloads were sent to it and not
	// confirmed: they may have arrived or not.
	Unconfirmed uint64
}

// CausalGap: messages with a label have been delivered without what had happened
// before them, because that was given up, or its sender is dead.
type CausalGap struct {
	Label string
	// From is who should have sent what was waited for, Waiting how many
	// messages waited for it.
	From    actor.NodeID
	Waiting int
	Reason  error
}

// ConnectionRefused: a connection to this node's port was not accepted.
type ConnectionRefused struct {
	Addr   string
	Reason error
}

// Undelivered: a message has come that this node cannot decode.
type Undelivered struct {
	From   actor.NodeID
	Sender actor.PID
	To     actor.PID // zero if it was sent to Name
	Name   actor.Name
	Type   string
	Reason error
}

func (OverlayReport) event()     {}
func (TopologyChanged) event()   {}
func (NodeLost) event()          {}
func (CausalGap) event()         {}
func (ConnectionRefused) event() {}
func (Undelivered) event()       {}

// observers are the functions that want events.
type observers struct {
	mu   sync.RWMutex
	next int
	byID map[int]func(Event)
}

// Observe calls f for every [Event] from now on, until cancel is called. f is
// called on the goroutine that caused the event, by many at once, so it must be
// safe for concurrent use, quick, and must not wait.
func (n *Node) Observe(f func(Event)) (cancel func()) {
	o := &n.watched
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID == nil {
		o.byID = make(map[int]func(Event))
	}
	id := o.next
	o.next++
	o.byID[id] = f
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.byID, id)
	}
}

func (n *Node) report(e Event) {
	n.watched.mu.RLock()
	list := make([]func(Event), 0, len(n.watched.byID))
	for _, f := range n.watched.byID {
		list = append(list, f)
	}
	n.watched.mu.RUnlock()
	for _, f := range list {
		f(e)
	}
}
