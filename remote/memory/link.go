package memory

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Link is what one direction of the way between two hosts is like. The zero
// Link is instant and never breaks. All connections between the two share it.
// When it becomes another, what is under way arrives as it would have, or
// earlier if it would when sent now.
type Link struct {
	// Latency is how long bytes are under way at least, and Jitter how much
	// longer at most; how long exactly is drawn for each write. Bytes of one
	// connection do not overtake each other.
	Latency, Jitter time.Duration
	// Bandwidth is how many bytes pass in a second. Zero is no limit.
	Bandwidth int
	// Breaks is the probability, from 0 to 1, that a write breaks its
	// connection instead of being sent. This is what loss comes to over TCP:
	// bytes are sent again until they arrive, or else the connection ends.
	Breaks float64
}

// link is the way from one machine to another. The network's lock guards it.
type link struct {
	from, to *machine
	back     *link // the other direction
	own      bool  // SetLink was called
	Link
	blocked bool
	free    time.Time // when everything given to it has been sent
	changes int       // how often it has become another
	rand    *rand.Rand
}

// newLink makes the way between two machines. What is drawn on it depends on
// nothing that happens on others.
func newLink(from, to *machine, seed uint64) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(from.name + "\x00" + to.name)) // it never fails
	return &link{from: from, to: to, rand: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// open reports whether what is written now is sent.
func (l *link) open() bool { return !l.blocked && !l.from.frozen }

// due returns when size bytes arrive that are sent now.
func (l *link) due(now time.Time, size int) time.Time {
	at := now
	if l.Bandwidth > 0 {
		if l.free.After(at) {
			at = l.free
		}
		at = at.Add(time.Duration(float64(size) / float64(l.Bandwidth) * float64(time.Second)))
		l.free = at
	}
	at = at.Add(l.Latency)
	if l.Jitter > 0 {
		at = at.Add(time.Duration(l.rand.Int64N(int64(l.Jitter) + 1)))
	}
	return at
}

// breaks draws whether the next write breaks its connection.
func (l *link) breaks() bool { return l.Breaks > 0 && l.open() && l.rand.Float64() < l.Breaks }
