package remote

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/causal"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/wire"
)

// errSignal says that a signal cannot have been made by this protocol.
var errSignal = errors.New("remote: malformed signal")

// receiveSignal delivers what a process of p's node sent. An error means that
// the other side does not keep to the protocol; what this node does not
// understand is none.
func (n *Node) receiveSignal(l *lane, f wire.Frame) error {
	p := l.peer
	var m wire.Signal
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("%w: %w", errSignal, err)
	}
	if err := l.hear(&m); err != nil {
		return err
	}
	a := arrival{stream: l.stream}
	sig := &a.sig
	err := n.decodeSignal(sig, p, &m)
	if err != nil {
		return err
	}
	if name := l.stream.ch.Name; name != DefaultChannel {
		sig.Via.Channel = name // for the reply
	}
	if m.Remember != 0 {
		if err := l.heard.remember(n.codec, &m, sig); err != nil {
			return err
		}
	}
	n.stats.received.Add(1)
	if m.Failed {
		sig.Reason = n.codec.DecodeError(codec.Failure{Errors: m.Errors, Text: m.Text})
	}
	if m.Label != "" {
		if a.stamp, err = stampOf(&m); err != nil {
			return err
		}
		a.empty = a.stamp.Void
	}
	v := codec.Value{Encoding: codec.Encoding(m.Encoding), Type: m.Type, Data: f.Payload}
	switch sig.Kind {
	case actor.SignalMessage, actor.SignalCall, actor.SignalSpawn:
		if a.empty {
			break
		}
		n.decodeMessage(&a, f, v.Encoding, v.Type, nil)
	case actor.SignalReply:
		if v.Encoding != codec.Nil {
			if !f.Fresh {
				v.Data = append([]byte{}, v.Data...)
			}
			sig.Msg = n.codec.Lazy(v)
		}
	case actor.SignalExit, actor.SignalDown:
		if sig.Reason == nil {
			return fmt.Errorf("%w: kind %d without a reason", errSignal, m.Kind)
		}
	case actor.SignalSpawned:
		if sig.From.IsZero() == (sig.Reason == nil) {
			return fmt.Errorf("%w: it must be a process or a reason", errSignal)
		}
	}
	sig.Size = len(f.Head) + len(f.Payload)
	if m.Seq != 0 {
		a.key, a.seq, a.oldest = streamKey{l.stream.ch.Name, sessionShard(m.Shard)}, m.Seq, m.Oldest
	}
	return n.arrived(l, &a, m.Shard)
}

// stampOf returns the stamp of a message with a label.
func stampOf(m *wire.Signal) (*causal.Stamp, error) {
	kind := actor.SignalKind(m.Kind)
	if m.Seq == 0 || kind != actor.SignalMessage && kind != actor.SignalCall {
		return nil, fmt.Errorf("%w: kind %d with a label, number %d", errSignal, m.Kind, m.Seq)
	}
	s, err := causal.ParseStamp(m.Stamp)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSignal, err)
	}
	return &s, nil
}

// receiveVoid counts what was withdrawn in its place.
func (n *Node) receiveVoid(l *lane, f wire.Frame) error {
	var m wire.After
	if err := m.Unmarshal(f.Head); err != nil || m.Shard > shards {
		return fmt.Errorf("%w: void of shard %d: %w", errSignal, m.Shard, err)
	}
	return n.arrived(l, &arrival{stream: l.stream, void: true}, m.Shard)
}

// hear looks up the words of m in the peer's dictionary.
func (l *lane) hear(m *wire.Signal) error {
	var again bool
	var err error
	ref := m.NameRef
	if m.Name, again, err = l.peer.heard.hear(ref, m.Name); err != nil {
		return err
	}
	if again {
		l.confirmWord(ref)
	}
	ref = m.TypeRef
	if m.Type, again, err = l.peer.heard.hear(ref, m.Type); err != nil {
		return err
	}
	if again {
		l.confirmWord(ref)
	}
	return nil
}

// confirmWord lets the peer know that this node has learned a word.
func (l *lane) confirmWord(ref uint32) {
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	if len(l.confirms) < cap(l.ack)+16 && !slices.Contains(l.confirms, ref) {
		l.confirms = append(l.confirms, ref)
	}
}

// decodeSignal decodes everything but the message and the reason.
func (n *Node) decodeSignal(sig *actor.Signal, p *peer, m *wire.Signal) error {
	if m.Kind < uint32(actor.SignalMessage) || m.Kind > uint32(actor.SignalSpawned) {
		return fmt.Errorf("%w: kind %d", errSignal, m.Kind)
	}
	*sig = actor.Signal{
		Kind:   actor.SignalKind(m.Kind),
		From:   actor.MakePID(p.handle, m.From),
		To:     actor.MakePID(n.handle, m.To),
		Origin: p.handle,
		Ref:    m.Ref,
		Link:   m.Link,
		Watch:  m.Watch,
		Trace:  m.Trace,
	}
	sig.Via.Key, sig.Via.Label = m.Key, m.Label
	if m.Name != "" {
		sig.Name = actor.NameAt{Name: actor.Name(m.Name), Node: n.id.Name}
	}
	if m.FromNode != nil {
		id, err := m.FromNode.NodeID()
		if err != nil || id.Name != p.id.Name {
			return fmt.Errorf("%w: it speaks for another node", errSignal)
		}
		sig.From = actor.MakePID(unique.Make(id), m.From)
	}
	if m.Timeout != 0 {
		sig.Deadline = time.Now().Add(time.Duration(min(max(m.Timeout, 1), math.MaxInt64/4)))
	}
	return nil
}

// undelivered accounts for a message that this node cannot decode. A caller is
// told why.
func (n *Node) undelivered(sig *actor.Signal, typeName string, err error) {
	if err == nil {
		err = actor.ErrNilMessage
	}
	n.stats.undecodable.Add(1)
	n.report(Undelivered{From: sig.Origin.Value(), Sender: sig.From, To: sig.To, Name: sig.Name.Name, Type: typeName, Reason: err})
	n.quiet.warn("message not delivered", "from", sig.Origin.Value(), "type", typeName, "reason", err)
	answer := actor.Signal{To: actor.MakePID(sig.Origin, 1), Ref: sig.Ref, Reason: err}
	switch sig.Kind {
	case actor.SignalMessage:
		n.bury(sig, err)
		return
	case actor.SignalCall:
		answer.Kind = actor.SignalReply
	case actor.SignalSpawn:
		answer.Kind = actor.SignalSpawned
	}
	_ = n.Route(answer) // if the node is lost, so is who waits for it
}
