package remote

// segment is a piece of memory with whole frames in it: many small ones, or
// one whose payload lies elsewhere.
type segment struct {
	base    uint64 // the number of its first frame
	frames  int
	data    []byte
	payload []byte
	chunk   *chunk // where data lies, if it shares that with other segments
}

func (s *segment) size() int    { return len(s.data) + len(s.payload) }
func (s *segment) last() uint64 { return s.base + uint64(s.frames) - 1 }

// chunk is memory in which segments lie, one behind the other.
type chunk struct {
	memory []byte
	users  int // the segments in it
}

const (
	minChunk = 1 << 10
	maxChunk = 64 << 10
	// maxFree is how many segments without memory are kept to be used again.
	maxFree = 1 << 10
)

// chunks gives segments their memory. What was written last is followed, in the
// same chunk, by what is written next: so a lane takes as much memory as it has on
// its way, and a processor's cache has it still. It is pure; the stream's lock
// guards it.
//
// Invariants:
//  1. Only the last segment that was given out grows, into rest, until it is
//     sealed.
//  2. A chunk is filled from its beginning once no segment lies in it.
type chunks struct {
	filling  *chunk
	rest     []byte // of filling: what no sealed segment has; its length is 0
	free     []*chunk
	spare    int        // how many of free have been there since the last trim
	most     int        // of filling, how much has lain in it at a time since then
	segments []*segment // without memory
}

// segment returns a segment of no frames and without memory.
func (c *chunks) segment() *segment {
	last := len(c.segments) - 1
	if last < 0 {
		return new(segment)
	}
	s := c.segments[last]
	c.segments[last] = nil
	c.segments = c.segments[:last]
	return s
}

// open returns a segment that has room for n bytes at least.
func (c *chunks) open(n int) *segment {
	if cap(c.rest) < n {
		c.fill(n)
	}
	s := c.segment()
	s.data, s.chunk = c.rest, c.filling
	c.filling.users++
	return s
}

// seal says that s does not grow any more: before the next one is opened.
func (c *chunks) seal(s *segment) {
	if s.chunk != nil && s.chunk == c.filling {
		n := len(s.data)
		c.rest = s.data[n:n]
		s.data = s.data[:n:n]
		c.most = max(c.most, len(c.filling.memory)-cap(c.rest))
	}
}

// fill begins a chunk with room for n bytes: twice as large as the last one, if
// there is none to be used again.
func (c *chunks) fill(n int) {
	size := minChunk
	if f := c.filling; f != nil {
		size = min(2*len(f.memory), maxChunk)
		c.filling = nil
		c.give(f)
	}
	if last := len(c.free) - 1; last >= 0 && len(c.free[last].memory) >= n {
		c.filling = c.free[last]
		c.free[last] = nil
		c.free = c.free[:last]
		c.spare = min(c.spare, last)
	} else {
		c.filling = &chunk{memory: make([]byte, max(n, size))}
	}
	c.rest, c.most = c.filling.memory[:0], len(c.filling.memory)
}

// give takes a chunk back if nothing lies in it. A busy lane has no use for small
// ones.
func (c *chunks) give(f *chunk) {
	switch {
	case f.users > 0:
	case f == c.filling:
		c.rest = f.memory[:0]
	case len(f.memory) <= maxChunk && (c.filling == nil || len(f.memory) >= min(len(c.filling.memory), maxChunk)):
		c.free = append(c.free, f)
	}
}

// recycle takes a segment back whose memory nobody reads any more.
func (c *chunks) recycle(s *segment) {
	f := s.chunk
	*s = segment{}
	if len(c.segments) < maxFree {
		c.segments = append(c.segments, s)
	}
	if f != nil {
		f.users--
		c.give(f)
	}
}

// trim gives up the memory that was not used since it was last called, or hardly.
func (c *chunks) trim() {
	if f := c.filling; f != nil && f.users == 0 {
		if len(f.memory) > max(minChunk, 4*c.most) {
			c.filling, c.rest = nil, nil
		}
		c.most = 0
	}
	left := copy(c.free, c.free[c.spare:])
	clear(c.free[left:])
	c.free, c.spare = c.free[:left], left
}

// shrink gives up the memory that only a busy lane needs.
func (c *chunks) shrink() {
	c.free, c.segments, c.spare = nil, nil, 0
	if c.filling != nil && c.filling.users == 0 {
		c.filling, c.rest = nil, nil
	}
}
