package remote

import "time"

const (
	// pieceSize is the most of one payload that is sent at a time, and longPiece
	// where small messages do not have to wait for it.
	pieceSize = 128 << 10
	longPiece = 512 << 10
	// longTime is how long a long piece may take on its way.
	longTime = time.Millisecond
	// mixedBytes is how much is sent in short pieces after small messages: there
	// are more to come. It is some milliseconds of a way that takes long ones.
	mixedBytes = 16 << 20
)

// pieces decides how long the pieces are in which a lane sends large payloads.
// Long ones, and more of them in one write, cost both sides less: fewer calls of
// the system, and less often one that wakes the other side. But a small message
// waits for the piece, and the write, that is under way. So they are long only on
// a fast way, and while there have been no small messages for a while: the first
// one waits longer, and those after it do not, also because less is on its way then:
// see pace.limit. It is pure; the stream's lock
// guards it.
type pieces struct {
	fast  bool // the way carries a long one within longTime
	mixed int  // how much more is to be sent in short ones
}

// long reports whether the next piece may be a long one.
func (p *pieces) long() bool { return p.fast && p.mixed <= 0 }

// most is how long the next piece may be.
func (p *pieces) most() int {
	if p.long() {
		return longPiece
	}
	return pieceSize
}

// small notes that small messages are sent, large so many bytes of a large one.
func (p *pieces) small()      { p.mixed = mixedBytes }
func (p *pieces) large(n int) { p.mixed = max(p.mixed-n, 0) }

// fast reports whether the way is known to carry a long piece within longTime.
func (p *pace) fast() bool {
	return p.probing == 0 && max(p.rate, p.before)*longTime.Seconds() >= longPiece
}
