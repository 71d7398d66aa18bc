package remote

import "github.com/topos-go/topos/actor"

// Passage is a message or a signal that has come, just before it is delivered.
type Passage struct {
	From, To actor.NodeID
	Channel  string
	Kind     actor.SignalKind
	// Sender is zero if it was sent by a goroutine that is no process. Receiver
	// is zero if it was sent to Name, or is a reply.
	Sender, Receiver actor.PID
	Name             actor.Name
	// Key and Label are what it was sent with; see actor.Key and actor.Causal.
	Key, Label string
	// Seq is its number in a session of acknowledged messages, 0 if in none.
	Seq uint64
	// Payload is what was sent; nil for replies, and for signals but the
	// arguments of a spawn.
	Payload any
}

// Tap sees everything that comes for the processes of a node, and lets it go
// on by calling deliver: at once, later, several times or never. It is for
// tests of what a network can do; package clustertest has one. It sits above
// the connections, which lose and double nothing, and below acknowledgement and
// causal order, which repair what it does. It is called by many goroutines at
// once and must not wait; deliver may be called by any goroutine.
type Tap func(p Passage, deliver func())

// tap shows a to the node's tap.
func (n *Node) tap(a arrival) {
	p := a.stream.peer
	passage := Passage{
		From: p.id, To: n.id, Channel: a.stream.ch.Name, Kind: a.sig.Kind,
		Sender: a.sig.From, Receiver: a.sig.To, Name: a.sig.Name.Name,
		Key: a.sig.Via.Key, Label: a.sig.Via.Label, Seq: a.seq,
	}
	switch a.sig.Kind {
	case actor.SignalMessage, actor.SignalCall, actor.SignalSpawn:
		passage.Payload = a.sig.Msg
	case actor.SignalReply:
		passage.Receiver = actor.PID{}
	}
	a.sig.Loan = nil // it may be delivered twice
	n.cfg.Tap(passage, func() {
		select {
		case <-p.gone: // everybody has been told that nothing more comes
		default:
			if err := n.pass(&a); err != nil {
				n.quiet.warn("message not delivered", "from", p.id, "error", err)
			}
		}
	})
}
