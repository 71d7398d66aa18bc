package session

import (
	"fmt"
	"time"
)

// Push is [Sender.Push] of the stream with this key. The errors are also
// ErrTableFull and ErrTooManyStreams.
func (t *Table[K, T]) Push(now time.Time, key K, item T, size int) (uint64, Effects[T], error) {
	at := t.clock.at(now)
	if t.closed != nil {
		return 0, Effects[T]{}, fmt.Errorf("%w: %w", ErrClosed, t.closed)
	}
	if t.retained > 0 && size > t.cfg.MaxBytes-t.retained {
		return 0, Effects[T]{}, ErrTableFull
	}
	o := t.outgoing[key]
	if o == nil {
		if len(t.senders) >= t.cfg.MaxStreams && !t.makeRoom() {
			return 0, Effects[T]{}, ErrTooManyStreams
		}
		o = &outgoing[K, T]{key: key, sender: newSender[T](t.stream(key), t.cfg.Rand, t.clock, t.floor+1)}
		o.sender.down = t.down
		t.outgoing[key] = o
		t.senders = append(t.senders, o)
	}
	before := o.sender.bytes
	seq, effects, err := o.sender.Push(now, item, size)
	o.used = at
	t.retained += o.sender.bytes - before
	t.watch(o)
	return seq, effects, err
}

// Acked is [Sender.Acked] of the stream with this key. An ack for a stream
// without a sender is counted.
func (t *Table[K, T]) Acked(now time.Time, key K, ack Ack) (Effects[T], error) {
	o := t.outgoing[key]
	if o == nil {
		t.stats.Strays++
		return Effects[T]{}, nil
	}
	before := o.sender.bytes
	effects, err := o.sender.Acked(now, ack)
	t.retained += o.sender.bytes - before
	t.watch(o)
	return effects, err
}

// Receive is [Receiver.Receive] of the stream with this key. The errors are
// ErrMalformed, ErrTooManyStreams and ErrClosed; then nothing was taken.
func (t *Table[K, T]) Receive(now time.Time, key K, seq, oldest uint64, item T, size int) ([]T, error) {
	i, err := t.from(key)
	if err != nil {
		return nil, err
	}
	before := i.receiver.bytes
	items, err := i.receiver.receive(now, seq, oldest, item, size, t.cfg.MaxBytes-t.kept)
	t.kept += i.receiver.bytes - before
	t.received(i)
	return items, err
}

// Skip is [Receiver.Skip] of the stream with this key. The errors are those of
// Receive.
func (t *Table[K, T]) Skip(now time.Time, key K, oldest uint64) ([]T, error) {
	i, err := t.from(key)
	if err != nil {
		return nil, err
	}
	before := i.receiver.bytes
	items, err := i.receiver.Skip(now, oldest)
	t.kept += i.receiver.bytes - before
	t.received(i)
	return items, err
}

// from returns the receiver of a stream.
func (t *Table[K, T]) from(key K) (*incoming[K, T], error) {
	if t.closed != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, t.closed)
	}
	i := t.incoming[key]
	if i == nil {
		if len(t.receivers) >= t.cfg.MaxStreams {
			return nil, ErrTooManyStreams
		}
		i = &incoming[K, T]{key: key, receiver: newReceiver[T](t.stream(key), t.clock)}
		t.incoming[key] = i
		t.receivers = append(t.receivers, i)
	}
	return i, nil
}

// received notes what a receiver has to do after something has come.
func (t *Table[K, T]) received(i *incoming[K, T]) {
	i.used = t.clock.last
	if i.receiver.owing {
		t.ackAt.before(i.receiver.ackAt)
		if !i.listed {
			i.listed = true
			t.owing = append(t.owing, i)
		}
	}
	if i.receiver.roomy() {
		t.wake.before(i.used + t.cfg.Forget)
	}
}

// Acks returns all acks that are owed, if one of them is due: those that are not
// cost least when they go with it.
func (t *Table[K, T]) Acks(now time.Time) []StreamAck[K] {
	if at := t.clock.at(now); !t.ackAt.set || at < t.ackAt.at {
		return nil
	}
	return t.Flush()
}

// Flush returns all acks that are owed, due or not: for when something is sent
// to that node anyway.
func (t *Table[K, T]) Flush() []StreamAck[K] {
	clear(t.acks)
	t.acks = t.acks[:0]
	for _, i := range t.owing {
		i.listed = false
		if ack, ok := i.receiver.Flush(); ok {
			t.acks = append(t.acks, StreamAck[K]{Key: i.key, Ack: ack})
		}
	}
	clear(t.owing)
	t.owing, t.ackAt = t.owing[:0], alarm{}
	return t.acks
}
