package remote

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/causal"
)

// arrival is a signal that has come and is on its way to its process.
type arrival struct {
	sig    actor.Signal
	stream *stream
	lane   *lane
	void   bool          // there is nothing: it was withdrawn
	empty  bool          // there is nothing to deliver, but it counts in its session
	stamp  *causal.Stamp // of a message with a label
	key    streamKey     // of its session, if it has a number there
	seq    uint64
	oldest uint64
}

// arrived lets a signal through that came on l, in its turn.
func (n *Node) arrived(l *lane, a *arrival, shard uint32) error {
	if shard--; shard >= shards { // it was 0: it is in no order
		shard = shards + uint32(l.index)
	}
	g, t := &l.peer.gate, turn{Stream: l.stream, Lane: l.index, Seq: shard}
	a.lane = l
	held, err := g.hold(t, a)
	if held || err != nil {
		return n.tolerate(l.peer, err)
	}
	err = n.admitted(a)
	l.stream.delivered[shard].Add(1)
	return errors.Join(err, g.release(t))
}

// tolerate gives a peer up that makes too much wait.
func (n *Node) tolerate(p *peer, err error) error {
	if errors.Is(err, errGate) {
		n.post(peerLost{p, fmt.Errorf("%w: %w", ErrOverloaded, err)})
	}
	return err
}

// admitted lets a signal through whose turn it is.
func (n *Node) admitted(a *arrival) error {
	switch {
	case a.void || a.empty && a.seq == 0:
		return nil
	case n.cfg.Tap != nil:
		n.tap(*a)
		return nil
	}
	return n.pass(a)
}

// pass delivers a signal, by way of its session if it is an acknowledged message.
func (n *Node) pass(a *arrival) error {
	if a.seq == 0 {
		n.hand(a)
		return nil
	}
	ss := n.sessionsOf(a.stream.peer)
	if ss == nil {
		return nil // it comes again
	}
	return ss.receive(a)
}

// deliver delivers what its session lets through, by way of its label if it has
// one.
func (n *Node) deliver(a *arrival) {
	if a.stamp == nil {
		n.hand(a)
		return
	}
	t, err := n.talk(a.sig.Via.Label)
	if err != nil {
		n.undeliverable(&a.sig, err)
		return
	}
	t.receive(a)
}

// hand hands a signal to its process.
func (n *Node) hand(a *arrival) {
	if !a.empty && n.sys.Deliver(a.sig) {
		n.overflowing(a.stream, &a.sig)
	}
}

// undeliverable accounts for a message that has come and that no process gets.
func (n *Node) undeliverable(sig *actor.Signal, reason error) {
	switch {
	case sig.Msg == nil: // a stamp, or what could not be decoded
	case sig.Kind == actor.SignalCall:
		// If the node is lost, so is the caller.
		_ = n.Route(actor.Signal{Kind: actor.SignalReply, To: actor.MakePID(sig.Origin, 1), Ref: sig.Ref, Reason: reason})
	default:
		n.bury(sig, reason)
	}
}
