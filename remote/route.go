package remote

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
)

// Route implements actor.Router. It encodes sig on the caller's goroutine and
// queues it for the node meant; it never waits for the network.
//
// A message or request is refused with ErrQueueFull while more than
// Config.QueueBytes wait for that node; that is counted, and the system makes a
// dead letter of it. Signals, exits and replies are queued beyond that. Nil
// means that sig is delivered once and in order, or that the node goes down:
// lost connections are made good.
//
// The other errors wrap actor.ErrNoConnection if the node is not known or is
// down, codec.ErrUnknownType or codec.ErrEncode if the message cannot be sent,
// and ErrTooLarge if it is too large.
func (n *Node) Route(sig actor.Signal) error {
	for {
		p, err := n.peerOf(&sig)
		if err != nil {
			return err
		}
		if err = n.routeTo(p, sig); err == nil || !errors.Is(err, ErrNotMember) || !p.released.Load() {
			return err
		}
	}
}

// routeTo is Route to p. The error wraps ErrNotMember if p has been given up.
func (n *Node) routeTo(p *peer, sig actor.Signal) error {
	s, err := p.outward(&sig)
	if err != nil {
		return err
	}
	e := n.encoders.Get().(*encoder)
	defer n.release(e)
	if sig.Via.Label != "" {
		sig.Via.Ack = true
	}
	if s.stage == nil && isPlain(n, &sig) {
		if err := e.encodePlain(n, p, sig.From, sig.To, sig.Msg); err != nil {
			return err
		}
		return n.queue(p, s, e, &sig)
	}
	if err := e.encode(n, p, &sig); err != nil {
		if sig.Kind != actor.SignalReply {
			return err
		}
		// The caller waits: let it know at least why it gets no reply.
		sig.Msg, sig.Reason = nil, err
		if err := e.encode(n, p, &sig); err != nil {
			return err
		}
	}
	if sig.Via.Ack && (sig.Kind == actor.SignalMessage || sig.Kind == actor.SignalCall) {
		ss := n.sessionsOf(p)
		if ss == nil {
			return notMember(p)
		}
		if err = ss.send(s, e, &sig); err == nil {
			n.stats.sent.Add(1)
		}
		return err
	}
	return n.queue(p, s, e, &sig)
}

// Carry implements actor.Carrier: it is [Node.Route] of a message from a process
// of this node, or none, on the default channel.
func (n *Node) Carry(from, to actor.PID, msg any) error {
	e := n.encoders.Get().(*encoder)
	err := n.carry(e, from, to, msg)
	n.release(e)
	return err
}

func (n *Node) carry(e *encoder, from, to actor.PID, msg any) error {
	p := e.find(&n.peers, to.NodeHandle())
	if p == nil || p.data.stage != nil || p.brakes.on() {
		return n.Route(actor.Signal{Kind: actor.SignalMessage, From: from, To: to, Msg: msg})
	}
	if err := e.encodePlain(n, p, from, to, msg); err != nil {
		return err
	}
	if !p.data.pushAtOnce(e) {
		sig := actor.Signal{Kind: actor.SignalMessage, From: from, To: to, Msg: msg}
		if p.released.Load() {
			return n.Route(sig)
		}
		return n.queue(p, p.data, e, &sig)
	}
	n.stats.sent.Add(1)
	return nil
}

// outward returns the stream for sig. A reply takes the channel of its request,
// which only the caller's node need have declared.
func (p *peer) outward(sig *actor.Signal) (*stream, error) {
	s, declared := p.stream(sig.Via.Channel)
	switch {
	case declared && s == nil:
		return nil, notMember(p)
	case declared:
		return s, nil
	case sig.Kind != actor.SignalReply:
		return nil, fmt.Errorf("%w: %q", ErrNoChannel, sig.Via.Channel)
	case s == nil:
		return p.data, nil
	}
	return s, nil
}

// notMember is the error for who comes too late to send to p.
func notMember(p *peer) error {
	return fmt.Errorf("%w: %w: %v", actor.ErrNoConnection, ErrNotMember, p.id.Name)
}

// queue hands an encoded signal to its stream.
func (n *Node) queue(p *peer, s *stream, e *encoder, sig *actor.Signal) error {
	m := outgoing{shard: e.shard, frame: e.head, payload: e.payload, aside: aside(sig)}
	if e.isPlain {
		m.plain = e
	}
	var same sameKey
	var err error
	w := n.waitOf(sig, s.ch)
	defer w.end()
	switch sig.Kind {
	case actor.SignalMessage, actor.SignalCall:
		if p.brakes.on() {
			err = p.brakes.await(sig, s.ch, &w)
		}
		m.urgent = sig.Kind == actor.SignalCall
		if s.stage != nil {
			same = sameKey{sig.From, sig.To, sig.Name.Name, sig.Via.Key}
			if sig.Kind == actor.SignalMessage {
				m.letter = &letter{same, *sig}
			}
		}
	case actor.SignalSpawn:
		m.urgent = true
	default:
		m.must, m.urgent = true, sig.Kind == actor.SignalReply
		if sig.Kind == actor.SignalExit || sig.Kind == actor.SignalDown {
			p.trail(&m, sig)
		}
	}
	if err == nil {
		err = s.push(m, same, &w)
	}
	switch {
	case err == nil:
		n.stats.sent.Add(1)
	case errors.Is(err, ErrQueueFull):
		n.stats.queueFull.Add(1)
	case errors.Is(err, errOverflow):
		// Signals must not be lost while the node counts as up.
		n.stats.queueFull.Add(1)
		n.post(peerLost{p, ErrOverloaded})
		return fmt.Errorf("%w: %w", actor.ErrNoConnection, ErrOverloaded)
	case errors.Is(err, ErrNotMember):
		return fmt.Errorf("%w: %w", actor.ErrNoConnection, err)
	}
	return err
}

// peerOf finds whom sig is for. A node that is not known yet, but that a PID
// names, is met this way.
func (n *Node) peerOf(sig *actor.Signal) (*peer, error) {
	if sig.To == (actor.PID{}) {
		p, id := n.peers.member(sig.Name.Node)
		if p == nil && id.Name != "" {
			p, _ = n.peers.ensure(n, id)
		}
		if p == nil {
			return nil, n.unknown(sig.Name.Node)
		}
		return p, nil
	}
	h := sig.To.NodeHandle()
	if p := n.peers.find(h); p != nil {
		return p, nil
	}
	id := h.Value()
	if id.Name == n.id.Name {
		return nil, actor.ErrNoProc // it belonged to an earlier start of this node
	}
	switch sig.Kind {
	case actor.SignalReply, actor.SignalSpawned, actor.SignalDown, actor.SignalUnlink, actor.SignalDemonitor:
		return nil, n.unknown(id.Name) // whoever waited for it has been told
	}
	if err := overlayNode(id).Valid(); err != nil {
		return nil, n.unknown(id.Name)
	}
	if _, known := n.peers.member(id.Name); known.Incarnation.Newer(id.Incarnation) {
		return nil, fmt.Errorf("%w %v: %w", actor.ErrNoConnection, id.Name, overlay.ErrRestarted)
	}
	p, made := n.peers.ensure(n, id)
	if p == nil {
		return nil, n.unknown(id.Name)
	}
	if made {
		n.post(met{id})
	}
	return p, nil
}

// unknown returns the error for a node that cannot be sent to.
func (n *Node) unknown(name string) error {
	n.state.Lock()
	defer n.state.Unlock()
	cause := fmt.Errorf("%w: %v", ErrNotMember, name)
	if n.closed {
		cause = ErrClosed
	} else if !n.started {
		cause = ErrNotStarted
	}
	return fmt.Errorf("%w: %w", actor.ErrNoConnection, cause)
}
