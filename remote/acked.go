package remote

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/causal"
	"github.com/topos-go/topos/remote/session"
	"github.com/topos-go/topos/remote/wire"
)

// retained is an acknowledged message that may have to be sent again.
type retained struct {
	sig     actor.Signal
	m       wire.Signal
	shard   uint32
	payload []byte

	// Of a message with a label: its number there, to node to.
	talk *talk
	to   actor.NodeID
	seq  causal.Seq
}

// retain keeps what e has encoded.
func (e *encoder) retain(sig *actor.Signal) *retained {
	r := &retained{sig: *sig, m: e.m, shard: e.shard, payload: e.payload}
	r.m.Type, r.m.Name = e.typ, string(sig.Name.Name) // to be said anew each time
	return r
}

func (r *retained) size() int { return r.m.Size() + len(r.payload) }

// gaveUp lets nobody wait for r.
func (r *retained) gaveUp() {
	if r.talk != nil {
		r.talk.gaveUp(r.to, r.seq)
	}
}

// send sends what e has encoded and retains it until it is acknowledged. It
// waits for room as the channel says.
func (ss *sessions) send(s *stream, e *encoder, sig *actor.Signal) error {
	w := s.peer.node.waitOf(sig, s.ch)
	defer w.end()
	if p := s.peer; p.brakes.on() {
		if err := p.brakes.await(sig, s.ch, &w); err != nil {
			return err
		}
	}
	r := e.retain(sig)
	if sig.Via.Label != "" {
		if err := ss.stamp(r, sig.Via.Label); err != nil {
			return err
		}
	}
	err := ss.push(s, r, &w)
	if err != nil {
		r.gaveUp()
	}
	return err
}

// stamp gives r its place in what happens under a label. From now on it is sent,
// or given up.
func (ss *sessions) stamp(r *retained, label string) error {
	t, err := ss.node.talk(label)
	if err != nil {
		return err
	}
	stamp, seq, err := t.stamp(ss.id)
	if err != nil {
		return err
	}
	r.m.Stamp, r.talk, r.to, r.seq = stamp, t, ss.id, seq
	return nil
}

// push hands r to its session, when there is room.
func (ss *sessions) push(s *stream, r *retained, w *wait) error {
	size := r.size()
	for {
		room, err := ss.try(s.ch.Name, r, size)
		switch {
		case err == nil:
			return nil
		case room == nil:
			return fmt.Errorf("%w: %w", actor.ErrNoConnection, err)
		case s.ch.WhenFull != Block:
			return fmt.Errorf("%w: %w", ErrQueueFull, err)
		}
		if err := w.until(room, nil, "no room for an acknowledged message in time"); err != nil {
			return err
		}
	}
}

// try hands r to its session. If there is no room, it returns what is closed
// when there may be some.
func (ss *sessions) try(channel string, r *retained, size int) (room <-chan struct{}, err error) {
	key := streamKey{channel, sessionShard(r.m.Shard)}
	ss.mu.Lock()
	_, effects, err := ss.table.Push(time.Now(), key, acked{out: r}, size)
	if err == nil {
		ss.unlock(ss.carryOutLocked([]session.Due[streamKey, acked]{{Key: key, Effects: effects}}))
		return nil, nil
	}
	defer ss.mu.Unlock()
	if errors.Is(err, session.ErrWindowFull) || errors.Is(err, session.ErrTableFull) {
		return ss.room, err
	}
	return nil, err
}

// carryOutLocked sends what is to be sent. It returns what was given up.
func (ss *sessions) carryOutLocked(due []session.Due[streamKey, acked]) (done []session.GaveUp[acked]) {
	for _, d := range due {
		done = append(done, d.GaveUp...)
		for _, t := range d.Transmit {
			if t.Attempt > 1 {
				ss.node.stats.resent.Add(1)
			}
			ss.transmitLocked(d.Key, t)
		}
		if d.Skip > 0 {
			ss.tellLocked(&wire.Receipt{Channel: d.Key.channel, Shard: d.Key.shard, Skip: d.Skip})
		}
	}
	if len(done) > 0 {
		ss.roomLocked()
	}
	return done
}

// transmitLocked queues a message. If that fails, it is as if it were lost.
func (ss *sessions) transmitLocked(key streamKey, t session.Transmit[acked]) {
	if ss.peer == nil {
		return
	}
	s, _ := ss.peer.stream(key.channel)
	if s == nil {
		return
	}
	r := t.Item.out
	m := r.m
	m.Seq, m.Oldest = t.Seq, t.Oldest
	m.TypeRef, m.Type = ss.peer.words.say(r.m.Type)
	m.NameRef, m.Name = ss.peer.words.say(r.m.Name)
	frame := wire.Append(nil, wire.KindSignal, &m, len(r.payload))
	_ = s.push(outgoing{shard: r.shard, aside: aside(&r.sig), frame: frame, payload: r.payload, must: true}, sameKey{}, &wait{})
}

// tellLocked sends what sessions say to each other.
func (ss *sessions) tellLocked(m *wire.Receipt) {
	if ss.peer != nil {
		frame := wire.Append(nil, wire.KindReceipt, m, 0)
		_ = ss.peer.data.push(outgoing{pinned: true, frame: frame, must: true}, sameKey{}, &wait{})
	}
}

// acknowledgeLocked sends the acknowledgements that are due.
func (ss *sessions) acknowledgeLocked(now time.Time) {
	for _, a := range ss.table.Acks(now) {
		m := &wire.Receipt{Channel: a.Key.channel, Shard: a.Key.shard, Cumulative: a.Cumulative}
		for _, r := range a.Ranges {
			m.Ranges = append(m.Ranges, r.First, r.Last)
		}
		ss.tellLocked(m)
	}
}

// roomLocked wakes the senders that wait for room.
func (ss *sessions) roomLocked() {
	close(ss.room)
	ss.room = make(chan struct{})
}

// receive delivers what has come, in its turn.
func (ss *sessions) receive(a *arrival) error {
	ss.mu.Lock()
	items, err := ss.table.Receive(time.Now(), a.key, a.seq, a.oldest, acked{in: *a}, a.sig.Size)
	// Within the lock, so that nothing overtakes and no acknowledgement is sent
	// before; delivering does not wait.
	for _, item := range items {
		ss.node.deliver(&item.in)
	}
	ss.unlock(nil)
	if errors.Is(err, session.ErrMalformed) {
		return err
	}
	return nil // what was not taken comes again
}

// receiveReceipt deals with what the other side's sessions say.
func (n *Node) receiveReceipt(p *peer, f wire.Frame) error {
	var m wire.Receipt
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("remote: malformed receipt: %w", err)
	}
	if len(m.Ranges)%2 != 0 || m.Shard > shards || len(m.Channel) > maxChannelName {
		return fmt.Errorf("remote: malformed receipt: %v", &m)
	}
	ss := n.sessionsOf(p)
	if ss == nil {
		return nil
	}
	return ss.receipt(streamKey{m.Channel, m.Shard}, &m)
}

func (ss *sessions) receipt(key streamKey, m *wire.Receipt) error {
	now := time.Now()
	ss.mu.Lock()
	if m.Skip > 0 {
		items, err := ss.table.Skip(now, key, m.Skip)
		for _, item := range items {
			ss.node.deliver(&item.in)
		}
		ss.unlock(nil)
		return ignoreFull(err)
	}
	ack := session.Ack{Cumulative: m.Cumulative}
	for i := 0; i < len(m.Ranges); i += 2 {
		ack.Ranges = append(ack.Ranges, session.Range{First: m.Ranges[i], Last: m.Ranges[i+1]})
	}
	effects, err := ss.table.Acked(now, key, ack)
	done := ss.carryOutLocked([]session.Due[streamKey, acked]{{Key: key, Effects: effects}})
	ss.roomLocked()
	ss.unlock(done)
	return err
}

// ignoreFull returns err unless it only says that something was not taken.
func ignoreFull(err error) error {
	if errors.Is(err, session.ErrTooManyStreams) || errors.Is(err, session.ErrClosed) {
		return nil
	}
	return err
}

// settle accounts for acknowledged messages that were given up.
func (n *Node) settle(done []session.GaveUp[acked]) {
	for _, g := range done {
		var reason error
		if g.Transmitted {
			n.stats.unknown.Add(1)
			reason = fmt.Errorf("%w: %w", actor.ErrOutcomeUnknown, g.Err)
		} else {
			reason = fmt.Errorf("%w: %w", actor.ErrNoConnection, g.Err)
		}
		g.Item.out.gaveUp()
		sig := g.Item.out.sig
		if sig.Kind == actor.SignalCall {
			n.sys.Deliver(actor.Signal{Kind: actor.SignalReply, Ref: sig.Ref, Reason: reason})
			continue
		}
		if sig.Msg != nil { // else it is a notice
			n.bury(&sig, reason)
		}
	}
}
