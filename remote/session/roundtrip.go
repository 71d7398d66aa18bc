package session

import "time"

// roundTrip estimates for how long an answer may be awaited, as TCP does (RFC
// 6298, section 2). The caller takes samples of messages transmitted once only
// (section 3, Karn's algorithm). The zero value has no samples.
type roundTrip struct {
	smoothed, variation time.Duration
}

func (r *roundTrip) sample(d time.Duration) {
	if r.smoothed == 0 {
		r.smoothed, r.variation = max(d, 1), d/2
		return
	}
	r.variation += ((r.smoothed - d).Abs() - r.variation) / 4
	r.smoothed = max(1, r.smoothed+(d-r.smoothed)/8)
}

// timeout is after how long something unanswered is taken for lost.
func (r *roundTrip) timeout(c *Config) time.Duration {
	return min(max(r.smoothed+4*r.variation, c.RetryMin), c.RetryMax)
}

// reordering is how much later something may come than what was sent after it.
// The floor keeps a peer that acks gaps without end from having a window sent
// again for each ack.
func (r *roundTrip) reordering(c *Config) time.Duration {
	if r.smoothed == 0 {
		return r.timeout(c)
	}
	return min(max(r.smoothed+r.smoothed/4, c.RetryMin/4), r.timeout(c))
}
