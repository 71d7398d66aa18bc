package session

import "time"

// Table has the streams that go out to another incarnation of a node and those
// that come in from it, by their keys, which both sides must have the same of.
// Streams are made when they are first used. It is made by NewTable and must
// not be used concurrently. What its methods return belongs to it, or to the
// stream, and is valid until the next call; they never block.
//
// Invariants:
//  1. floor is at least every number that a forgotten sender has used, so a
//     sender made now uses none of them.
//  2. retained and kept are the sums of what senders retain and receivers keep.
//  3. wake is no later than any deadline of a sender, or than something that is
//     idle gives memory back; ackAt is no later than any deadline of a receiver.
type Table[K comparable, T any] struct {
	cfg   TableConfig[K]
	clock *clock

	outgoing map[K]*outgoing[K, T]
	senders  []*outgoing[K, T] // in the order in which they were made
	floor    uint64
	retained int
	wake     alarm

	incoming  map[K]*incoming[K, T]
	receivers []*incoming[K, T] // in the order in which they were made
	owing     []*incoming[K, T] // in the order in which they came to owe
	kept      int
	ackAt     alarm

	down   bool
	closed error

	due   []Due[K, T]
	acks  []StreamAck[K]
	stats TableStats
}

type outgoing[K comparable, T any] struct {
	key    K
	sender *Sender[T]
	used   time.Duration // when something was last pushed
}

type incoming[K comparable, T any] struct {
	key      K
	receiver *Receiver[T]
	used     time.Duration // when something last came
	listed   bool          // it is in owing
}

// alarm is a time, if set.
type alarm struct {
	at  time.Duration
	set bool
}

// before makes the alarm ring at t at the latest.
func (a *alarm) before(t time.Duration) {
	if !a.set || t < a.at {
		*a = alarm{at: t, set: true}
	}
}

// Due is what has to be done for one stream.
type Due[K comparable, T any] struct {
	Key K
	Effects[T]
}

// StreamAck is an ack of one stream, to be handed to the other side's
// [Table.Acked].
type StreamAck[K comparable] struct {
	Key K
	Ack
}

// TableStats says what is in a table, and what has happened to it.
type TableStats struct {
	// Senders and Receivers are in the table now.
	Senders, Receivers int
	// Retained and Kept are the bytes of what senders retain and receivers keep.
	Retained, Kept int
	// Forgotten counts senders that were.
	Forgotten uint64
	// Strays counts acks for streams without a sender, which may be forgotten.
	Strays uint64
}

// NewTable returns an empty table, connected: if there is no association at the
// moment, call Down.
func NewTable[K comparable, T any](cfg TableConfig[K]) (*Table[K, T], error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	return &Table[K, T]{
		cfg:      cfg,
		clock:    new(clock),
		outgoing: make(map[K]*outgoing[K, T]),
		incoming: make(map[K]*incoming[K, T]),
	}, nil
}

// stream returns the configuration of one stream.
func (t *Table[K, T]) stream(key K) Config {
	cfg := t.cfg.Stream
	cfg.Unordered = t.cfg.Unordered != nil && t.cfg.Unordered(key)
	return cfg
}

// Deadline returns when Tick and Acks should be called next. It is never too
// late, and may be too early. It is the zero time if there is nothing to wait
// for. Every call of another method may change it.
func (t *Table[K, T]) Deadline() time.Time {
	next := t.wake
	if t.ackAt.set {
		next.before(t.ackAt.at)
	}
	if !next.set {
		return time.Time{}
	}
	return t.clock.time(next.at)
}

// Stats returns what is in the table, and what has happened to it.
func (t *Table[K, T]) Stats() TableStats {
	s := t.stats
	s.Senders, s.Receivers = len(t.senders), len(t.receivers)
	s.Retained, s.Kept = t.retained, t.kept
	return s
}

// Down is [Sender.Down] of all streams.
func (t *Table[K, T]) Down(now time.Time) {
	t.down = true
	for _, o := range t.senders {
		o.sender.Down(now)
	}
}

// Reconnected is [Sender.Reconnected] of all streams. It returns those with
// something to do, in the order in which they were first used.
func (t *Table[K, T]) Reconnected(now time.Time) []Due[K, T] {
	t.down = false
	return t.each(now, func(s *Sender[T]) Effects[T] { return s.Reconnected(now) })
}

// Tick is [Sender.Tick] of all streams that it is time for. It also forgets what
// is idle.
func (t *Table[K, T]) Tick(now time.Time) []Due[K, T] {
	if at := t.clock.at(now); !t.wake.set || at < t.wake.at {
		return nil
	}
	return t.each(now, func(s *Sender[T]) Effects[T] { return s.Tick(now) })
}

// Close is [Sender.Close] of all streams. The messages that receivers keep for
// their turn will never have it, and are dropped. The table is empty then.
func (t *Table[K, T]) Close(now time.Time, reason error) []Due[K, T] {
	if t.closed != nil {
		return nil
	}
	if t.closed = reason; reason == nil {
		t.closed = ErrClosed
	}
	due := t.each(now, func(s *Sender[T]) Effects[T] { return s.Close(now, reason) })
	clear(t.outgoing)
	clear(t.incoming)
	t.senders, t.receivers, t.owing = nil, nil, nil
	t.kept, t.wake, t.ackAt = 0, alarm{}, alarm{}
	return due
}
