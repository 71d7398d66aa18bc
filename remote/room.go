package remote

import "time"

const (
	// maxBand is the most that has to be confirmed, of a full queue, before those
	// are let in who wait: enough not to wake them for each confirmation.
	maxBand = 1 << 20
	// patience is how long senders of large messages wait while small ones pass.
	patience = 100 * time.Millisecond
)

// room is whom a stream's queue lets in. Where senders wait for room, the last
// eighth of the queue is kept for small messages: one who sends large ones as fast
// as he can then never makes them wait, and after patience it is their turn to
// wait. The stream's lock guards it.
//
// Invariants:
//  1. full if bytes are at the large ones' limit, until band less than that are.
//     brim likewise for all.
//  2. larges <= waiting, and since is zero if larges is.
type room struct {
	limit, reserve, band int
	waits                bool // who finds no room waits

	bytes      int // what waits in the stream
	full, brim bool
	waiting    int
	larges     int           // of those waiting
	since      time.Time     // since when large ones have waited of which none was let in
	freed      chan struct{} // closed and replaced when there is some
}

func newRoom(ch *Channel) room {
	r := room{limit: ch.QueueBytes, waits: ch.WhenFull == Block, freed: make(chan struct{})}
	if r.waits {
		r.reserve = r.limit / 8
	}
	r.band = min(r.limit/16, maxBand)
	return r
}

// large reports whether a message with so large a payload is a large one.
func large(payload int) bool { return payload >= apart }

// refuses reports whether there is no room for a message.
func (r *room) refuses(large bool) bool {
	switch {
	case !r.waits:
		return r.bytes >= r.limit
	case large:
		return r.full
	case r.brim:
		return true
	}
	return r.full && r.larges > 0 && time.Since(r.since) > patience
}

// resize notes that more waits, or less, and lets those go on that wait for it.
func (r *room) resize(by int) {
	r.bytes += by
	was := [...]bool{r.full, r.brim}
	r.full = over(r.full, r.bytes, r.limit-r.reserve, r.band)
	r.brim = over(r.brim, r.bytes, r.limit, r.band)
	if r.waiting > 0 && (was[0] && !r.full || was[1] && !r.brim) {
		r.free()
	}
}

// over reports whether what was over the limit, or not, is.
func over(was bool, bytes, limit, band int) bool {
	return bytes >= limit || was && bytes > limit-band
}

// free lets those who wait look again.
func (r *room) free() {
	close(r.freed)
	r.freed = make(chan struct{})
}

// enter notes that somebody waits from now on, leave that he does so no more.
func (r *room) enter(large bool) {
	r.waiting++
	if !large {
		return
	}
	if r.larges++; r.since.IsZero() {
		r.since = time.Now()
	}
}

func (r *room) leave(large bool) {
	r.waiting--
	if !large {
		return
	}
	if r.larges--; r.larges == 0 {
		r.since = time.Time{}
	} else if !r.full {
		r.since = time.Now() // he was let in
	}
}
