package registry

import "time"

// leaseClock says what may be done under a lease, and until when: a pure value.
// It counts from when the request that made the lease valid was sent, which was
// no later than the lease began; and it takes the clock here to be slow by as
// much as the drift bound.
//
//	sent ── renew ── … ── stop ──── kill ── expiry by this clock ── expiry
//	                        └ told to end └ killed
type leaseClock struct {
	ttl   time.Duration
	drift float64
	sent  time.Time
}

// expiry is when the lease may have expired.
func (c leaseClock) expiry() time.Time {
	return c.sent.Add(time.Duration(float64(c.ttl) * (1 - c.drift)))
}

// margin is how long there is to end a child.
func (c leaseClock) margin() time.Duration { return c.ttl / 4 }

// stop is when a child must be told to end, and kill when it must be killed.
func (c leaseClock) stop() time.Time { return c.expiry().Add(-c.margin()) }
func (c leaseClock) kill() time.Time { return c.expiry().Add(-c.margin() / 4) }

// renew is when to renew, first and after failures: three times before stop,
// for a renewal that takes its time.
func (c leaseClock) renew() time.Duration { return c.ttl / 6 }

// renewed counts from a renewal that was sent at sent.
func (c *leaseClock) renewed(sent time.Time) {
	if sent.After(c.sent) {
		c.sent = sent
	}
}
