package remote

import "time"

const (
	// leastWindow is always allowed to be on its way: a millisecond of a fast
	// network, and enough for a slow one.
	leastWindow = 1 << 19
	// mostWindow is more than any one connection carries in a round trip.
	mostWindow = 1 << 30
	// slack is by how much longer than the shortest a piece may take and the
	// window still grow.
	slack = 100 * time.Microsecond
)

// pace decides how much of large messages may be on its way on a lane: enough to
// keep the connection busy, and no more, because a small message waits for all
// that the sockets hold. It measures how long pieces take to be confirmed, as
// Brakmo and Peterson's TCP Vegas (1995) does: as long as that is about the
// shortest time seen, the way is not full, and the window grows, at first
// twofold; when it is much longer, what is on its way waits on its way, and the
// window shrinks to what would not. It is pure; the stream's lock guards it.
type pace struct {
	window  int
	least   time.Duration // the shortest time that a piece has taken
	marker  uint64        // the frame that is timed; 0 if none is
	since   time.Time
	alone   bool // nothing was on its way before it
	limited bool // the window has held something back since
	narrow  bool // it has been too large
}

func newPace() pace { return pace{window: leastWindow} }

// began says that everything up to frame number last is on its way, of which
// there is more than this.
func (p *pace) began(now time.Time, last uint64, alone, limited bool) {
	p.limited = p.limited || limited
	if p.marker == 0 {
		p.marker, p.since, p.alone = last, now, alone
	}
}

// confirmed says that everything up to frame number acked has come.
func (p *pace) confirmed(now time.Time, acked uint64) {
	if p.marker == 0 || acked < p.marker {
		return
	}
	took := max(now.Sub(p.since), 1)
	if p.least == 0 || took < p.least || p.alone {
		p.least = took
	}
	switch {
	case took > p.least+p.least/2+2*slack:
		p.narrow = true
		fair := time.Duration(p.window) * (p.least + slack) / took
		p.window = max(int(fair), p.window/2, leastWindow)
	case p.limited && took < p.least+p.least/4+slack:
		more := p.window
		if p.narrow {
			more /= 8
		}
		p.window = min(p.window+more, mostWindow)
	}
	p.marker, p.limited = 0, false
}
