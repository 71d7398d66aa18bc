package remote

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/dialect"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// Member is a node of the cluster as this node sees it.
type Member struct {
	Node actor.NodeID
	// Self says that it is this node.
	Self bool
	// Linked says whether there is a connection at this moment. A member
	// without one is being dialled, and will be down soon if that is in vain.
	Linked bool
	// Heard is when it was last heard of, RTT the last round-trip time of a
	// heartbeat. Both are zero for this node.
	Heard time.Time
	RTT   time.Duration
}

// Members returns the nodes of the cluster as this node sees them, itself among
// them, sorted. The view may be ahead of what subscribers have been told. The
// slice must not be changed.
func (n *Node) Members() []Member { return n.core.view.Members() }

// Neighbors returns the members that the topology links this node with at this
// moment, sorted. The slice is the caller's.
func (n *Node) Neighbors() []actor.NodeID {
	var ids []actor.NodeID
	for _, m := range n.Members() {
		if m.Linked && !m.Self {
			ids = append(ids, m.Node)
		}
	}
	return ids
}

// Join adds addresses at which nodes of the cluster may be found, as
// Config.Join does. It does not wait for them to be reached.
func (n *Node) Join(addrs ...string) {
	seeds := make([]string, len(addrs))
	for i, a := range addrs {
		seeds[i] = addrOf(a)
	}
	n.post(overlay.Join{Addrs: seeds})
}

// MemberEvent says that a node has come or gone.
type MemberEvent struct {
	Kind MemberEventKind
	Node actor.NodeID
	// Reason is why the node is down: an error that wraps
	// actor.ErrNoConnection and the overlay's reason. Nil for MemberUp.
	Reason error
}

// MemberEventKind says what a [MemberEvent] is.
type MemberEventKind uint8

const (
	// MemberUp: the node is a member. It may have been one before: the same
	// incarnation back means that a partition has healed.
	MemberUp MemberEventKind = iota + 1
	// MemberDown: the node cannot be reached any more, or a newer incarnation
	// of it is about to be up.
	MemberDown
	// MemberLeft: the node has left the cluster of its own accord.
	MemberLeft
)

// String returns "up", "down" or "left".
func (k MemberEventKind) String() string {
	switch k {
	case MemberUp:
		return "up"
	case MemberDown:
		return "down"
	case MemberLeft:
		return "left"
	}
	return fmt.Sprintf("MemberEventKind(%d)", uint8(k))
}

// encodeMembership makes the frame of a message between overlays.
func encodeMembership(m overlay.Message) []byte {
	var w wire.Membership
	switch m := m.(type) {
	case overlay.Ping:
		w.Kind, w.Seq = membershipPing, m.Seq
	case overlay.Pong:
		w.Kind, w.Seq = membershipPong, m.Seq
	case overlay.Nodes:
		w.Kind = membershipNodes
		for _, node := range m.Nodes {
			w.Nodes = append(w.Nodes, wire.FromNodeID(nodeID(node)))
		}
	case overlay.Leaving:
		w.Kind = membershipLeaving
	default:
		body, err := dialect.Append(nil, m)
		if err != nil {
			panic(fmt.Sprintf("remote: %T has no place in the dialect: %v", m, err))
		}
		w.Kind, w.Body = membershipDialect, body
	}
	return wire.Append(nil, wire.KindMembership, &w, 0)
}

// The numbers of the overlay's messages on the wire.
const (
	membershipPing = iota + 1
	membershipPong
	membershipNodes
	membershipLeaving
	membershipDial // no message of the overlay: see lane.invitation
	membershipDialect
	membershipRelay // see passage
	membershipCall  // see tunnels
	membershipEcho  // see measures
	membershipEchoed
)

// receiveMembership hands a message to the overlay.
func (n *Node) receiveMembership(p *peer, f wire.Frame) error {
	var w wire.Membership
	if err := w.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("remote: malformed membership frame: %w", err)
	}
	m, err := decodeMembership(&w)
	if err != nil {
		return fmt.Errorf("remote: malformed membership frame: %w", err)
	}
	if m != nil {
		n.post(received{p, m})
		return nil
	}
	switch w.Kind {
	case membershipRelay:
		return n.receivePassage(p, &w)
	case membershipCall:
		return n.receiveCall(p, w.Seq)
	case membershipDial:
		return receiveInvitation(p, w.Channel, w.Lane)
	case membershipEcho, membershipEchoed:
		return n.receiveEcho(p, &w)
	}
	return fmt.Errorf("remote: membership frame of kind %d", w.Kind)
}

// decodeMembership returns the overlay's message in a frame; nil if it is no message
// of the overlay.
func decodeMembership(w *wire.Membership) (m overlay.Message, err error) {
	switch w.Kind {
	case membershipPing:
		m = overlay.Ping{Seq: w.Seq}
	case membershipPong:
		m = overlay.Pong{Seq: w.Seq}
	case membershipNodes:
		nodes := overlay.Nodes{Nodes: make([]overlay.Node, len(w.Nodes))}
		for i, wn := range w.Nodes {
			id, err := wn.NodeID()
			if err != nil {
				return nil, err
			}
			nodes.Nodes[i] = overlayNode(id)
		}
		m = nodes
	case membershipLeaving:
		m = overlay.Leaving{}
	case membershipDialect:
		m, err = dialect.Parse(w.Body)
	}
	return m, err
}

// receiveInvitation dials a lane that p cannot dial.
func receiveInvitation(p *peer, channel string, index uint32) error {
	a := handshake.Attach{Channel: channel, Lane: index, Association: 1}
	if err := attachable(a); err != nil || channel == MembershipChannel {
		return fmt.Errorf("remote: malformed invitation: channel %q, lane %d", channel, index)
	}
	if l := p.accepting(channel, int(index)); l != nil {
		l.invite()
	}
	return nil
}
