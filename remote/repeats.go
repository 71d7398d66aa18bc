package remote

import "github.com/topos-go/topos/remote/wire"

// atATime is how many messages that repeat others are decoded before they are
// delivered: as many as share the costs well, and some microseconds' worth.
const atATime = 32

// receiveRepeats delivers what has come of messages that repeat others, several
// at a time. It stops at anything else, and in doubt leaves it to receiveAgain.
func (k *link) receiveRepeats() error {
	for {
		if k.repeats == nil {
			k.repeats = new([atATime]wire.Repeat)
		}
		frames := k.conn.dec.Repeats(k.repeats[:])
		if len(frames) == 0 {
			return nil
		}
		for len(frames) > 0 {
			n, err := k.receiveRun(frames)
			if err == nil && n == 0 {
				f := frames[0]
				n = 1
				err = k.receive(wire.Frame{Kind: wire.KindAgain, Head: []byte{byte(f.Number)}, Payload: f.Payload})
			}
			if err != nil {
				return err
			}
			frames = frames[n:]
		}
	}
}

// receiveRun delivers the first of frames, as many as are of one type. It
// returns how many; those that take more than that are left.
func (k *link) receiveRun(frames []wire.Repeat) (n int, err error) {
	l := k.lane
	known := l.heard[frames[0].Number]
	if known == nil || known.reader == nil || !l.peer.gate.open() {
		return 0, nil
	}
	// On the stack, where the collector need not hear of what is written.
	var data [atATime][]byte
	var room [atATime]any
	for n < len(frames) {
		if next := l.heard[frames[n].Number]; next == nil || next.reader != known.reader {
			break
		}
		data[n] = frames[n].Payload
		n++
	}
	msgs, _ := known.reader.ReadAll(room[:0], data[:n])
	for i, msg := range msgs {
		if msg == nil {
			msgs = msgs[:i]
			break
		}
	}
	for n = 0; n < len(msgs); {
		first, size := n, 0
		for number := frames[first].Number; n < len(msgs) && frames[n].Number == number; n++ {
			size += len(frames[n].Payload)
		}
		if err = k.deliverRepeats(l.heard[frames[first].Number], msgs[first:n], size); err != nil {
			return n, err
		}
	}
	return n, nil
}

// deliverRepeats delivers messages that repeat one. size is that of their
// payloads.
func (k *link) deliverRepeats(known *plainMessage, msgs []any, size int) error {
	l, n := k.lane, uint64(len(msgs))
	l.node.stats.received.Add(n)
	if k.inflow.DeliverAll(known.sig.From, known.sig.To, msgs, size) {
		l.node.overflowing(l.stream, &known.sig)
	}
	l.stream.delivered[known.shard-1].Add(n)
	err := l.peer.gate.release(turn{Stream: l.stream, Lane: l.index, Seq: known.shard - 1})
	l.received.Add(n)
	k.unacked += len(msgs)*wire.AgainSize + size
	k.small += len(msgs)*wire.AgainSize + size
	return err
}
