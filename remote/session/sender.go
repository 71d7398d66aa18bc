package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Sender is the sending side of one stream, between two incarnations of nodes.
// It is made by NewSender and must not be used concurrently. What its methods
// return belongs to it and is valid until the next call; they never block.
// A time that is before an earlier one is taken for the earlier one.
//
// Invariants, with the numbers as in the fields:
//  1. acked < base <= fresh <= next.
//  2. next - base <= Config.Window, and the ring holds base … next-1.
//  3. bytes is the sum of the sizes in the ring, and at most Config.WindowBytes
//     unless a single message is larger.
//  4. While connected, fresh = next, and the timer runs if anything is in flight.
//  5. Only numbers below fresh have been transmitted.
type Sender[T any] struct {
	cfg   Config
	rng   *rand.Rand
	clock *clock

	slots ring[slot[T]]
	base  uint64 // the lowest number retained
	fresh uint64 // the lowest number not yet transmitted
	next  uint64 // the number that the next push gets
	acked uint64 // the highest cumulative ack
	high  uint64 // the highest number acked in a range
	bytes int

	down    bool
	closed  error
	armed   bool          // the timer runs
	retryAt time.Duration // when it ends
	backoff int           // how often the wait has been doubled
	silent  int           // how often the timer has ended since the last ack
	trip    roundTrip

	effects Effects[T]
	stats   SenderStats
}

// slot is a message that is retained.
type slot[T any] struct {
	item         T
	size         int
	pushed, sent time.Duration
	attempts     uint32 // transmissions
	unanswered   uint32 // how many of them went unanswered for their time
	held         bool   // the receiver has it, though not what is before it
}

// SenderStats counts what a sender has done since it was made.
type SenderStats struct {
	// Pushed messages are Acked, GaveUp or retained.
	Pushed, Acked, GaveUp uint64
	// Transmitted counts every transmission; Retransmitted those after the first
	// of a message.
	Transmitted, Retransmitted uint64
	// Timeouts is how often the timer has ended without an answer.
	Timeouts uint64
	// StaleAcks came after later ones.
	StaleAcks uint64
}

// NewSender returns the sender of a stream. It is connected: if there is no
// association at the moment, call Down. rng jitters the waits, and may be
// shared with other senders that are used by the same goroutine.
func NewSender[T any](cfg Config, rng *rand.Rand) (*Sender[T], error) {
	err := cfg.Valid()
	if rng == nil {
		err = errors.Join(err, errors.New("session: a Sender needs randomness"))
	}
	if err != nil {
		return nil, err
	}
	cfg.setDefaults()
	return newSender[T](cfg, rng, new(clock), 1), nil
}

// newSender returns a sender whose first number is first.
func newSender[T any](cfg Config, rng *rand.Rand, c *clock, first uint64) *Sender[T] {
	return &Sender[T]{cfg: cfg, rng: rng, clock: c, base: first, fresh: first, next: first, acked: first - 1}
}

// Push takes a message into the stream and returns its number. The message is
// retained until it is acknowledged or given up; size is what it counts for in
// Config.WindowBytes. While disconnected it is transmitted later. The errors are
// ErrWindowFull, ErrSize and ErrClosed; then nothing was taken.
func (s *Sender[T]) Push(now time.Time, item T, size int) (uint64, Effects[T], error) {
	t := s.begin(now)
	switch {
	case s.closed != nil:
		return 0, s.effects, fmt.Errorf("%w: %w", ErrClosed, s.closed)
	case size < 0:
		return 0, s.effects, ErrSize
	case s.Retained() >= s.cfg.Window, s.Retained() > 0 && size > s.cfg.WindowBytes-s.bytes:
		return 0, s.effects, ErrWindowFull
	}
	seq := s.next
	s.slots.reserve(s.base, s.next, seq)
	*s.slots.at(seq) = slot[T]{item: item, size: size, pushed: t}
	s.next++
	s.bytes += size
	s.stats.Pushed++
	if !s.down {
		s.transmit(seq, t)
	}
	return seq, s.settle(t), nil
}

// Acked takes an ack that came from the receiver. What it covers has been
// delivered and is let go; what it shows to be missing is transmitted again if
// it has been on its way for long enough. Acks may be lost, doubled and out of
// order. An ack that wraps ErrMalformed or ErrNeverSent changed nothing.
func (s *Sender[T]) Acked(now time.Time, ack Ack) (Effects[T], error) {
	t := s.begin(now)
	if err := ack.valid(max(s.fresh, s.base)); err != nil {
		return s.effects, err
	}
	if s.closed != nil {
		return s.effects, nil
	}
	if ack.Cumulative < s.acked {
		s.stats.StaleAcks++
		return s.effects, nil
	}
	s.silent = 0
	s.acked = ack.Cumulative
	sampled, progress, news := time.Duration(-1), false, false
	for s.base <= ack.Cumulative {
		released := s.pop()
		progress = true
		if !released.held {
			sampled = released.sample(sampled)
		}
		if !released.held || !s.cfg.Unordered {
			s.stats.Acked++
		}
	}
	for _, r := range ack.Ranges {
		for seq := max(r.First, s.base); seq <= r.Last; seq++ {
			if held := s.slots.at(seq); !held.held {
				sampled = held.sample(sampled)
				s.hold(held)
				news = true
			}
		}
		s.high = max(s.high, r.Last)
	}
	s.trim()
	if sampled >= 0 {
		s.trip.sample(t - sampled)
	}
	s.rearm(t, progress, news)
	if len(ack.Ranges) > 0 && !s.down {
		s.fill(t)
	}
	return s.settle(t), nil
}

// sample returns when the message was sent if that is good for a measurement,
// and before if not.
func (m *slot[T]) sample(before time.Duration) time.Duration {
	if m.attempts == 1 {
		return m.sent
	}
	return before
}

// hold notes that the receiver has m. An unordered one has delivered it.
func (s *Sender[T]) hold(m *slot[T]) {
	m.held = true
	if s.cfg.Unordered {
		var zero T
		s.bytes -= m.size
		m.item, m.size = zero, 0
		s.stats.Acked++
	}
}

// rearm lets the timer know of an answer.
func (s *Sender[T]) rearm(t time.Duration, progress, news bool) {
	if progress || news {
		s.backoff = 0
	}
	if wait := t + s.trip.timeout(&s.cfg); progress || news && wait < s.retryAt {
		s.retryAt = wait
	}
}

// fill transmits again what is missing before the highest number that the
// receiver has, if it has been on its way for so long that it is not only late.
func (s *Sender[T]) fill(t time.Duration) {
	late := s.trip.reordering(&s.cfg)
	for seq := s.base; seq < min(s.high, s.fresh); seq++ {
		if m := s.slots.at(seq); !m.held && m.sent+late <= t {
			s.transmit(seq, t)
		}
	}
}

// Retained returns how many numbers are neither acknowledged nor given up.
func (s *Sender[T]) Retained() int { return int(s.next - s.base) }

// Bytes returns the sum of the sizes of what is retained.
func (s *Sender[T]) Bytes() int { return s.bytes }

// Stats returns what the sender has done.
func (s *Sender[T]) Stats() SenderStats { return s.stats }

// begin begins a call: the effects of the one before are over.
func (s *Sender[T]) begin(now time.Time) time.Duration {
	s.effects.GaveUp = clearScratch(s.effects.GaveUp)
	s.effects.Transmit = clearScratch(s.effects.Transmit)
	s.effects.Skip = 0
	return s.clock.at(now)
}

// transmit adds a transmission of a message to the effects.
func (s *Sender[T]) transmit(seq uint64, t time.Duration) {
	m := s.slots.at(seq)
	if m.attempts > 0 {
		s.stats.Retransmitted++
	}
	m.attempts++
	m.sent = t
	s.fresh = max(s.fresh, seq+1)
	s.stats.Transmitted++
	s.effects.Transmit = append(s.effects.Transmit, Transmit[T]{Seq: seq, Oldest: s.base, Attempt: m.attempts, Item: m.item})
}

// pop removes the oldest message.
func (s *Sender[T]) pop() slot[T] {
	m := s.slots.at(s.base)
	popped := *m
	*m = slot[T]{}
	s.bytes -= popped.size
	s.base++
	s.fresh = max(s.fresh, s.base)
	return popped
}

// trim removes what is at the front and known to be delivered, which is so in
// unordered streams only.
func (s *Sender[T]) trim() {
	for s.cfg.Unordered && s.base < s.fresh && s.slots.at(s.base).held {
		s.pop()
	}
}

// valid returns an error if an invariant is broken.
func (s *Sender[T]) valid() error {
	sum := 0
	for seq := s.base; seq < s.next; seq++ {
		m := s.slots.at(seq)
		sum += m.size
		if (m.attempts > 0) != (seq < s.fresh) {
			return fmt.Errorf("%d was transmitted %d times, the first fresh one is %d", seq, m.attempts, s.fresh)
		}
	}
	inFlight := s.base < s.fresh
	switch {
	case s.acked >= s.base || s.base > s.fresh || s.fresh > s.next:
		return fmt.Errorf("acked %d, base %d, fresh %d, next %d", s.acked, s.base, s.fresh, s.next)
	case s.Retained() > s.cfg.Window || len(s.slots.places) > max(16, 2*s.cfg.Window):
		return fmt.Errorf("%d retained in %d places", s.Retained(), len(s.slots.places))
	case sum != s.bytes || s.bytes > s.cfg.WindowBytes && s.Retained() > 1:
		return fmt.Errorf("%d bytes in %d messages, not %d", sum, s.Retained(), s.bytes)
	case !s.down && s.closed == nil && (s.fresh != s.next || inFlight && !s.armed):
		return fmt.Errorf("connected, fresh %d of %d, timer %v", s.fresh, s.next, s.armed)
	case s.down && s.armed:
		return errors.New("the timer runs while disconnected")
	}
	return nil
}
