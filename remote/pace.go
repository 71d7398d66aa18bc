package remote

import "time"

const (
	// leastWindow is always allowed where nothing else is sent: half a millisecond of a
	// fast network, a few confirmations, and enough for a slow one.
	leastWindow = 3 << 18
	// mixedWindow is, where small messages are sent as well, which would wait for more. It
	// is what the other side confirms at once, whatever has come before: of less it would
	// say so after ackDelay only.
	mixedWindow = ackBytes + pieceSize
	// mostWindow is more than any one connection carries in a round trip.
	mostWindow = 1 << 30
	// probeWindow is what is on its way while the round trip is measured anew.
	probeWindow = leastWindow / 2
	// tripAge is how long a measured round trip holds, unless it is met again,
	// and probes how many pieces measure it anew: one might have been delayed.
	tripAge = 30 * time.Second
	probes  = 8
	// rateAge is how many pieces the highest rate is remembered for, at least.
	rateAge = 8
)

// pace decides how much of large messages may be on its way on a lane: enough to
// keep the connection busy, and no more, because a small message waits for all
// that the sockets hold. As BBR does (Cardwell and others, 2016), it estimates
// what the way carries in a second and how long a round trip takes while nothing
// waits on the way, and allows twice the product: so the window grows twofold
// while more of it brings more through, and what waits is at most as much as is
// on its way. The time of a trip is the shortest that one piece has taken. Since
// a trip can grow longer, it is measured anew now and then, with little on its
// way. A pace is pure; the stream's lock guards it.
type pace struct {
	window int // with small messages; never less than leastWindow without

	trip time.Duration // the shortest time that a piece has taken; 0 if not known
	met  time.Time     // when a piece last took about that
	// probing is how many more pieces are to measure trip anew, behind no more
	// than probeWindow, and probed the shortest time of those that have.
	probing int
	probed  time.Duration

	rate, before float64 // the highest of late, and before that, in bytes a second
	pieces       int     // that rate is of

	// The piece that is timed.
	marker  uint64 // its last frame; 0 if there is none
	since   time.Time
	carried int  // bytes confirmed since then
	limited bool // the window has held something back meanwhile
	fair    bool // it was begun while probing
}

func newPace() pace { return pace{window: leastWindow, probing: probes} }

// limit returns how much may be on its way, if small messages are sent as well or
// if not.
func (p *pace) limit(mixed bool) int {
	switch {
	case p.probing > 0:
		return probeWindow
	case mixed:
		return p.window
	}
	return max(p.window, leastWindow)
}

// began says that everything up to frame number last is on its way, of which
// there is more than this. limited says that the window holds something back.
func (p *pace) began(now time.Time, last uint64, limited bool) {
	p.limited = p.limited || limited
	if p.marker == 0 {
		p.marker, p.since, p.carried, p.fair = last, now, 0, p.probing > 0
	}
}

// confirmed says that everything up to frame number acked has come: so many
// bytes more than before.
func (p *pace) confirmed(now time.Time, acked uint64, bytes int) {
	p.carried += bytes
	if p.marker == 0 || acked < p.marker {
		return
	}
	took := max(now.Sub(p.since), time.Microsecond)
	p.timed(now, took)
	p.rated(float64(p.carried) / took.Seconds())
	if fit := 2 * max(p.rate, p.before) * p.trip.Seconds(); p.limited || int(fit) > p.window {
		p.window = min(max(int(fit), mixedWindow), mostWindow)
	}
	p.marker, p.limited = 0, false
}

// timed notes how long a piece has taken.
func (p *pace) timed(now time.Time, took time.Duration) {
	switch {
	case p.probing > 0:
		if !p.fair {
			return
		}
		if p.probed == 0 || took < p.probed {
			p.probed = took
		}
		if p.probing--; p.probing == 0 {
			p.trip, p.met = p.probed, now
		}
	case took <= p.trip+p.trip/8:
		p.trip, p.met = min(p.trip, took), now
	case now.Sub(p.met) > tripAge:
		p.probing, p.probed = probes, 0
	}
}

// rated notes the rate of a piece. If nothing was held back, it may be the
// sender that was slow, and not the way.
func (p *pace) rated(rate float64) {
	if !p.limited && rate < p.rate {
		return
	}
	if p.pieces++; p.pieces > rateAge {
		p.before, p.rate, p.pieces = p.rate, 0, 1
	}
	p.rate = max(p.rate, rate)
}
