package remote

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/wire"
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
	p, err := n.peerOf(&sig)
	if err != nil {
		return err
	}
	s, err := p.outward(&sig)
	if err != nil {
		return err
	}
	e := n.encoders.Get().(*encoder)
	defer n.release(e)
	if sig.Via.Label != "" {
		sig.Via.Ack = true
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
		if err = n.sessionsOf(p).send(s, e, &sig); err == nil {
			n.stats.sent.Add(1)
		}
		return err
	}
	return n.queue(p, s, e, &sig)
}

// outward returns the stream for sig. A reply takes the channel of its request,
// which only the caller's node need have declared.
func (p *peer) outward(sig *actor.Signal) (*stream, error) {
	s, declared := p.stream(sig.Via.Channel)
	switch {
	case declared:
		return s, nil
	case sig.Kind != actor.SignalReply:
		return nil, fmt.Errorf("%w: %q", ErrNoChannel, sig.Via.Channel)
	case s == nil:
		return p.data, nil
	}
	return s, nil
}

// queue hands an encoded signal to its stream.
func (n *Node) queue(p *peer, s *stream, e *encoder, sig *actor.Signal) error {
	m := outgoing{shard: e.shard, frame: e.head, payload: e.payload, aside: aside(sig)}
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
			m.after = p.marks(sig, e.shard)
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
		if p := n.peers.member(sig.Name.Node); p != nil {
			return p, nil
		}
		return nil, n.unknown(sig.Name.Node)
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
	if p := n.peers.member(id.Name); p != nil && p.id.Incarnation.Newer(id.Incarnation) {
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

// encoder is the memory that one signal is encoded in.
type encoder struct {
	m       wire.Signal
	scratch codec.Scratch
	typ     string // the name of the payload's type
	shard   uint32
	head    []byte // the frame's header and message
	payload []byte
}

// release gives e back.
func (n *Node) release(e *encoder) {
	e.m, e.payload = wire.Signal{}, nil
	n.encoders.Put(e)
}

// encode makes the frame for sig.
func (e *encoder) encode(n *Node, p *peer, sig *actor.Signal) error {
	e.m = wire.Signal{
		Kind:  uint32(sig.Kind),
		From:  sig.From.ID(),
		To:    sig.To.ID(),
		Ref:   sig.Ref,
		Link:  sig.Link,
		Watch: sig.Watch,
		Trace: sig.Trace,
	}
	if e.shard = loose; !sig.Via.Unordered {
		e.shard = shardOf(sig)
		e.m.Shard = e.shard + 1
	}
	e.m.Key, e.m.Label = sig.Via.Key, sig.Via.Label
	e.m.NameRef, e.m.Name = p.words.say(string(sig.Name.Name))
	if !sig.From.IsZero() && sig.From.NodeHandle() != n.handle {
		e.m.FromNode = wire.FromNodeID(sig.From.Node())
	}
	if !sig.Deadline.IsZero() {
		e.m.Timeout = max(1, int64(time.Until(sig.Deadline)))
	}
	if sig.Reason != nil {
		f := n.codec.EncodeError(sig.Reason)
		e.m.Failed, e.m.Errors, e.m.Text = true, f.Errors, f.Text
	}
	var v codec.Value
	var err error
	switch sig.Kind {
	case actor.SignalMessage, actor.SignalCall, actor.SignalSpawn:
		v, err = n.codec.EncodeIn(&e.scratch, sig.Msg)
	case actor.SignalReply:
		v, err = n.codec.EncodeReplyIn(&e.scratch, sig.Msg)
	}
	if err != nil {
		n.stats.unencodable.Add(1)
		return err
	}
	if limit := p.limit(); len(v.Data) > limit {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(v.Data), limit)
	}
	e.m.Encoding, e.typ = uint32(v.Encoding), v.Type
	e.m.TypeRef, e.m.Type = p.words.say(v.Type)
	if size := e.m.Size(); size > wire.MaxMessage {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: %d bytes besides the message, at most %d", ErrTooLarge, size, wire.MaxMessage)
	}
	e.head = wire.Append(e.head[:0], wire.KindSignal, &e.m, len(v.Data))
	if e.payload = v.Data; v.Encoding != codec.Bytes && (len(v.Data) >= apart || sig.Via.Ack) {
		e.scratch.Reset() // it is kept
	}
	return nil
}
