package session

import "time"

// clock turns the caller's times into durations since the first of them, which
// are smaller and never go back.
type clock struct {
	origin  time.Time
	last    time.Duration
	started bool
}

// horizon is the latest time there is, in about 146 years: later times are
// taken for it, so that sums do not overflow.
const horizon = time.Duration(1) << 62

// at notes that it is now, and returns when that is. A time before one that was
// seen is taken for that one.
func (c *clock) at(now time.Time) time.Duration {
	if !c.started {
		c.origin, c.started = now, true
	}
	c.last = max(c.last, min(now.Sub(c.origin), horizon))
	return c.last
}

// time is the inverse of at.
func (c *clock) time(d time.Duration) time.Time { return c.origin.Add(d) }
