package remote

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/wire"
)

// encoder is the memory that one signal is encoded in.
type encoder struct {
	m       wire.Signal
	scratch codec.Scratch
	typ     string // the name of the payload's type
	shard   uint32
	head    []byte // the frame's header and message, unless isPlain
	payload []byte

	// isPlain says that there is nothing to it but plain and a payload. How the
	// frame begins is known when its lane is.
	isPlain bool
	plain   repeat

	// found is the peer of to that was in table when it was looked up last.
	table *map[actor.NodeHandle]*peer
	to    actor.NodeHandle
	found *peer
}

// find is peerTable.find, quick if it is the same node again.
func (e *encoder) find(t *peerTable, to actor.NodeHandle) *peer {
	if table := t.byHandle.Load(); e.table != table || e.to != to {
		e.table, e.to, e.found = table, to, (*table)[to]
	}
	return e.found
}

// release gives e back.
func (n *Node) release(e *encoder) {
	if !e.isPlain {
		e.m = wire.Signal{}
	}
	e.isPlain, e.payload = false, nil
	n.encoders.Put(e)
}

// encode makes the frame for sig.
func (e *encoder) encode(n *Node, p *peer, sig *actor.Signal) error {
	v, err := e.encodePayload(n, p, sig)
	if err != nil {
		return err
	}
	if v.Encoding != codec.Bytes && sig.Via.Ack {
		e.scratch.Reset() // it is kept
	}
	if e.shard = loose; !sig.Via.Unordered {
		e.shard = shardOf(sig)
	}
	e.typ = v.Type
	e.m = wire.Signal{
		Kind:     uint32(sig.Kind),
		From:     sig.From.ID(),
		To:       sig.To.ID(),
		Encoding: uint32(v.Encoding),
		Ref:      sig.Ref,
		Link:     sig.Link,
		Watch:    sig.Watch,
		Trace:    sig.Trace,
		Key:      sig.Via.Key,
		Label:    sig.Via.Label,
	}
	if e.shard != loose {
		e.m.Shard = e.shard + 1
	}
	e.m.TypeRef, e.m.Type = p.words.say(v.Type)
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
	if size := e.m.Size(); size > wire.MaxMessage {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: %d bytes besides the message, at most %d", ErrTooLarge, size, wire.MaxMessage)
	}
	e.head = wire.Append(e.head[:0], wire.KindSignal, &e.m, len(v.Data))
	return nil
}

// encodePayload encodes what sig carries.
func (e *encoder) encodePayload(n *Node, p *peer, sig *actor.Signal) (v codec.Value, err error) {
	switch sig.Kind {
	case actor.SignalMessage, actor.SignalCall, actor.SignalSpawn:
		v, err = n.codec.EncodeIn(&e.scratch, sig.Msg)
	case actor.SignalReply:
		v, err = n.codec.EncodeReplyIn(&e.scratch, sig.Msg)
	}
	return v, e.keep(n, p, v, err)
}

// encodePlain makes ready what there is of the frame of a plain message before
// its lane is known.
func (e *encoder) encodePlain(n *Node, p *peer, from, to actor.PID, msg any) error {
	v, err := n.codec.EncodeIn(&e.scratch, msg)
	if err := e.keep(n, p, v, err); err != nil {
		return err
	}
	e.isPlain = true
	if r := &e.plain; r.from != from.ID() || r.to != to.ID() || r.encoding != uint32(v.Encoding) || r.typ != v.Type {
		*r = repeat{from.ID(), to.ID(), uint32(v.Encoding), shardOfPair(from, to), v.Type}
	}
	e.shard = e.plain.shard
	return nil
}

// keep takes an encoded payload, unless err says that there is none.
func (e *encoder) keep(n *Node, p *peer, v codec.Value, err error) error {
	if err != nil {
		n.stats.unencodable.Add(1)
		return err
	}
	if limit := p.limit(); len(v.Data) > limit {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(v.Data), limit)
	}
	e.payload = v.Data
	if v.Encoding != codec.Bytes && len(v.Data) >= apart {
		e.scratch.Reset() // the queue keeps it
	}
	return nil
}

// spell returns the whole frame of a plain message up to its payload. The other
// side is to remember it under remember-1, if that is not 0.
func (e *encoder) spell(p *peer, remember uint32) []byte {
	r := &e.plain
	m := &e.m
	*m = wire.Signal{
		Kind: uint32(actor.SignalMessage), From: r.from, To: r.to, Encoding: r.encoding, Shard: r.shard + 1, Remember: remember,
	}
	m.TypeRef, m.Type = p.words.say(r.typ)
	e.head = wire.Append(e.head[:0], wire.KindSignal, m, len(e.payload))
	return e.head
}
