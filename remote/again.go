package remote

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/wire"
)

// remembered are the plain messages that the reader of a lane remembers, to be
// repeated with other payloads. They belong to the lane, not to its connection:
// what is sent again after a reconnection begins where this left off.
type remembered [wire.MaxRemembered]*plainMessage

// plainMessage is all of a message but its payload.
type plainMessage struct {
	sig      actor.Signal
	shard    uint32 // as in wire.Signal
	encoding codec.Encoding
	typ      string
	reader   *codec.Reader // nil if the type is not known
}

// remember keeps m, of which sig has been made. The error wraps errSignal if m
// says more than can be repeated.
func (r *remembered) remember(c *codec.Codec, m *wire.Signal, sig *actor.Signal) error {
	if m.Remember > wire.MaxRemembered || sig.Kind != actor.SignalMessage || m.To == 0 || m.Name != "" || m.FromNode != nil ||
		m.Shard == 0 || m.Shard > shards || len(m.Type) > maxWord || m.Seq != 0 || m.Label != "" || m.Key != "" || len(m.Trace) > 0 {
		return fmt.Errorf("%w: number %d to be remembered", errSignal, m.Remember)
	}
	known := &plainMessage{sig: *sig, shard: m.Shard, encoding: codec.Encoding(m.Encoding), typ: m.Type}
	known.reader, _ = c.Reader(known.encoding, m.Type) // each message that cannot be read is reported
	r[m.Remember-1] = known
	return nil
}

// receiveAgain delivers a message that repeats another with a payload of its
// own. An error means that the other side does not keep to the protocol.
func (k *link) receiveAgain(f wire.Frame) error {
	l, n := k.lane, k.lane.node
	var number wire.Again
	if err := number.Unmarshal(f.Head); err != nil {
		return err
	}
	known := l.heard[number]
	if known == nil {
		return fmt.Errorf("%w: number %d was never said", errSignal, number)
	}
	n.stats.received.Add(1)
	a := arrival{stream: l.stream, sig: known.sig}
	a.sig.Size = len(f.Payload)
	n.decodeMessage(&a, f, known.encoding, known.typ, known.reader)
	return n.arrived(l, &a, known.shard)
}

// decodeMessage decodes the message, or request, or arguments, that a is.
func (n *Node) decodeMessage(a *arrival, f wire.Frame, encoding codec.Encoding, typ string, reader *codec.Reader) {
	data := f.Payload
	if encoding == codec.Bytes {
		if f.Loan != nil && a.sig.Kind == actor.SignalMessage {
			a.sig.Loan = f.Loan
		}
		if !f.Fresh {
			data = append([]byte{}, data...)
		}
	}
	var err error
	if reader == nil {
		reader, err = n.codec.Reader(encoding, typ)
	}
	if err == nil {
		a.sig.Msg, err = reader.Read(data)
	}
	if err != nil || a.sig.Msg == nil && a.sig.Kind != actor.SignalSpawn {
		// It counts all the same, for those that come after it.
		n.undelivered(&a.sig, typ, err)
		a.empty, a.sig.Msg = true, nil
	}
}
