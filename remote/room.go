package remote

// maxBand is the most that has to be confirmed, of a full queue, before those are
// let in who wait: enough not to wake them for each confirmation.
const maxBand = 1 << 20

// room is whom a stream's queue lets in. Where senders wait for room, an eighth of
// the queue is small messages' own: large ones never take it, and small ones have
// more only while no large one waits. So whoever sends as fast as he can, small
// ones or large, makes those of his own size wait and not the others. The stream's
// lock guards it.
//
// Invariants:
//  1. full is set if large is at its limit, until it is band less than that; brim
//     if bytes is at the whole limit; crowd if small ones, bytes-large, are at the
//     eighth.
//  2. larges <= waiting.
type room struct {
	limit, reserve, band int
	waits                bool // who finds no room waits

	bytes, large      int // what waits in the stream, and how much of it is large
	full, brim, crowd bool
	waiting, larges   int           // senders that wait, and how many of them with a large message
	freed             chan struct{} // closed and replaced when there is room for some
}

func newRoom(ch *Channel) room {
	r := room{limit: ch.QueueBytes, waits: ch.WhenFull == Block, freed: make(chan struct{})}
	r.reserve = max(r.limit/8, 1)
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
	case r.brim:
		return true
	case large:
		return r.full
	}
	return r.crowd && r.larges > 0
}

// resize notes that more waits, or less, and lets those go on that wait for it.
func (r *room) resize(by, large int) {
	r.bytes += by
	r.large += large
	full, brim, crowd := r.full, r.brim, r.crowd
	r.full = over(full, r.large, max(r.limit-r.reserve, 1), r.band)
	r.brim = over(brim, r.bytes, r.limit, r.band)
	r.crowd = over(crowd, r.bytes-r.large, r.reserve, r.band/2)
	if r.waiting > 0 && (full && !r.full || brim && !r.brim || crowd && !r.crowd) {
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
	if large {
		r.larges++
	}
}

func (r *room) leave(large bool) {
	r.waiting--
	if !large {
		return
	}
	if r.larges--; r.larges == 0 && r.waiting > 0 {
		r.free() // small ones may have waited for him only
	}
}
