package session

// ring holds values of consecutive sequence numbers, as many as its length, at
// their number modulo its length, a power of two. It does not know which of its
// places are in use. The zero value has length 0.
type ring[E any] struct {
	places []E
}

func (r *ring[E]) at(seq uint64) *E { return &r.places[seq&uint64(len(r.places)-1)] }

// reserve makes place for the numbers first … last, keeping what is in use
// among first … used-1.
func (r *ring[E]) reserve(first, used, last uint64) {
	need := last - first + 1
	if uint64(len(r.places)) >= need {
		return
	}
	size := uint64(max(16, 2*len(r.places)))
	for size < need {
		size *= 2
	}
	bigger := ring[E]{places: make([]E, size)}
	if len(r.places) > 0 {
		for seq := first; seq < min(used, first+uint64(len(r.places))); seq++ {
			*bigger.at(seq) = *r.at(seq)
		}
	}
	*r = bigger
}

// marks is a set of sequence numbers that lie within a window. The zero value
// is empty and has no memory until something is added.
type marks struct {
	words []uint64
}

func (m *marks) word(seq uint64) (int, uint64) {
	return int(seq / 64 & uint64(len(m.words)-1)), 1 << (seq % 64)
}

func (m *marks) has(seq uint64) bool {
	if len(m.words) == 0 {
		return false
	}
	i, bit := m.word(seq)
	return m.words[i]&bit != 0
}

// add adds seq to a set of numbers within a window of the given size.
func (m *marks) add(seq uint64, window int) {
	if len(m.words) == 0 {
		size := 1
		for size*64 < window {
			size *= 2
		}
		m.words = make([]uint64, size)
	}
	i, bit := m.word(seq)
	m.words[i] |= bit
}

func (m *marks) remove(seq uint64) {
	i, bit := m.word(seq)
	m.words[i] &^= bit
}
