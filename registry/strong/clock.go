package strong

import "time"

// clock is what a node counts leases by. The zero value is right; others are
// wrong on purpose, for tests.
type clock struct {
	start time.Time
	rate  float64 // how fast it runs; zero means right
	ahead time.Duration
}

// now is what the clock shows.
func (c clock) now() time.Time {
	if c.rate == 0 {
		return time.Now()
	}
	return c.start.Add(c.ahead + time.Duration(c.rate*float64(time.Since(c.start))))
}

// until returns how long it takes until the clock shows t.
func (c clock) until(t time.Time) time.Duration {
	d := t.Sub(c.now())
	if c.rate == 0 {
		return d
	}
	return time.Duration(float64(d)/c.rate) + 1 // not a moment too early
}
