package session

import "time"

// Deadline returns when Tick should be called next. It is the zero time if
// there is nothing to wait for. Every call of another method may change it.
func (s *Sender[T]) Deadline() time.Time {
	t, ok := s.deadline()
	if !ok {
		return time.Time{}
	}
	return s.clock.time(t)
}

func (s *Sender[T]) deadline() (time.Duration, bool) {
	if s.base == s.next {
		return s.retryAt, s.armed
	}
	t := s.slots.at(s.base).pushed + s.cfg.MaxAge
	if s.armed {
		t = min(t, s.retryAt)
	}
	return t, true
}

// Tick does what time asks for: it gives up what is too old or unanswered, and
// transmits again what has waited long enough. It may be called at any time;
// before the deadline it does nothing.
func (s *Sender[T]) Tick(now time.Time) Effects[T] {
	t := s.begin(now)
	s.expire(t)
	if s.armed && t >= s.retryAt {
		s.timeout(t)
	}
	return s.settle(t)
}

// Down says that the association is lost: nothing is transmitted until
// Reconnected. Messages can still be pushed, acknowledged, and become too old.
func (s *Sender[T]) Down(now time.Time) {
	s.begin(now)
	s.down, s.armed = true, false
}

// Reconnected says that the same two incarnations have a new association, and
// that anything that was on its way may be lost. Everything that the receiver
// is not known to have is transmitted, oldest first. It need not follow Down,
// and is not for connections that go on where they stopped.
func (s *Sender[T]) Reconnected(now time.Time) Effects[T] {
	t := s.begin(now)
	if s.closed != nil {
		return s.effects
	}
	s.down, s.armed, s.backoff, s.silent = false, false, 0, 0
	s.expire(t)
	for seq := s.base; seq < s.next; seq++ {
		if !s.slots.at(seq).held {
			s.transmit(seq, t)
		}
	}
	s.skip()
	return s.settle(t)
}

// Close says that the other incarnation is dead, or given up for good, and why.
// Everything retained is given up; nothing can be pushed any more. A second call
// does nothing. A nil reason counts as ErrClosed.
func (s *Sender[T]) Close(now time.Time, reason error) Effects[T] {
	s.begin(now)
	if s.closed != nil {
		return s.effects
	}
	if reason == nil {
		reason = ErrClosed
	}
	for s.base < s.next {
		s.giveUp(reason)
	}
	s.closed, s.armed = reason, false
	s.slots = ring[slot[T]]{}
	return s.effects
}

// expire gives up what is too old. Older messages are before younger ones.
func (s *Sender[T]) expire(t time.Duration) {
	for s.base < s.next && s.slots.at(s.base).pushed+s.cfg.MaxAge <= t {
		s.giveUp(ErrExpired)
	}
}

// timeout goes a round: what is unanswered is given up or transmitted again.
func (s *Sender[T]) timeout(t time.Duration) {
	wait := s.trip.timeout(&s.cfg)
	if s.base < s.fresh {
		if m := s.slots.at(s.base); !m.held && m.sent+wait > t {
			s.retryAt = m.sent + wait // an ack has asked for it in the meantime
			return
		}
	}
	s.silent++
	s.stats.Timeouts++
	for seq := s.base; seq < s.fresh; seq++ {
		if m := s.slots.at(seq); !m.held && m.sent+wait <= t {
			m.unanswered++
		}
	}
	for s.base < s.fresh && s.exhausted(s.slots.at(s.base)) {
		s.giveUp(ErrUnanswered)
	}
	for seq := s.base; seq < s.fresh; seq++ {
		if m := s.slots.at(seq); !m.held && m.sent+wait <= t {
			s.transmit(seq, t)
		}
	}
	s.skip()
	s.backoff++
	s.arm(t)
}

// exhausted reports whether m, the oldest message, has been tried often enough.
// What the receiver keeps for its turn is not transmitted but waits for a skip,
// so there it counts how often the receiver has been silent.
func (s *Sender[T]) exhausted(m *slot[T]) bool {
	if m.held {
		return s.silent >= s.cfg.Attempts
	}
	return int(m.unanswered) >= s.cfg.Attempts
}

// giveUp gives up the oldest message.
func (s *Sender[T]) giveUp(reason error) {
	seq := s.base
	m := s.pop()
	if !m.held || !s.cfg.Unordered {
		s.stats.GaveUp++
		s.effects.GaveUp = append(s.effects.GaveUp, GaveUp[T]{
			Seq: seq, Item: m.item, Transmitted: m.attempts > 0, Err: outcome(m.attempts > 0, reason),
		})
	}
	s.trim()
}

// gap reports whether something was given up of which the receiver is not known
// to know.
func (s *Sender[T]) gap() bool { return s.acked+1 < s.base }

// skip tells the receiver what never comes, if no transmission does.
func (s *Sender[T]) skip() {
	if s.gap() && !s.down && len(s.effects.Transmit) == 0 {
		s.effects.Skip = s.base
	}
}

// settle ends a call: the timer runs if something may be transmitted again. A
// gap with nothing behind it holds up nothing but what was given up too, so the
// receiver is told of it once, and again only as long as it is not silent.
func (s *Sender[T]) settle(t time.Duration) Effects[T] {
	if len(s.effects.GaveUp) > 0 {
		s.skip()
	}
	switch {
	case s.down, s.closed != nil, s.base == s.fresh && (!s.gap() || s.silent >= s.cfg.Attempts):
		s.armed = false
	case !s.armed:
		s.arm(t)
	}
	return s.effects
}

// arm starts the timer.
func (s *Sender[T]) arm(t time.Duration) {
	wait := s.trip.timeout(&s.cfg)
	for range s.backoff {
		if wait = 2 * wait; wait >= s.cfg.RetryMax {
			wait = s.cfg.RetryMax
			s.backoff = min(s.backoff, 64)
			break
		}
	}
	if s.backoff > 0 {
		wait += time.Duration(s.rng.Int64N(int64(wait/4) + 1))
	}
	s.armed, s.retryAt = true, t+wait
}

// idle reports whether nothing is retained, and the receiver knows of all that
// was given up.
func (s *Sender[T]) idle() bool { return s.base == s.next && !s.gap() }
