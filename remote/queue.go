package remote

import "github.com/topos-go/topos/remote/wire"

// queue is what a lane has not begun to send. It is pure; the stream's lock
// guards it.
//
// Small frames go first, in the order they came. Large ones stand in lines, one
// for each shard, and the lines take turns, a piece at a time: so a small
// message waits for one piece of a large one, unless it is of the same shard;
// then it stands in that line too.
//
// Invariants:
//  1. A shard with a line has no frame in small that came after the line's first,
//     and the line waits for those that came before it.
//  2. Only the first item of a line has been begun.
//  3. opened is the sum of the payloads of the begun items; only one has been
//     begun if it is more than the other side lets a lane have open, and never
//     more than wire.MaxParcels.
//  4. bytes and frames count what is in small and in the lines, and large the
//     bytes of those with a payload of their own.
type queue struct {
	small  []*segment // the last one is being filled
	lines  map[uint32]*line
	turns  []*line
	bytes  int
	large  int
	frames int

	filled, drained uint64 // how many segments there have been in small, and how many of these have been begun

	streak  int    // small segments since the last piece
	memory  chunks // of small, and segments for all
	parcels uint64 // how many there have been
	begun   int    // how many are under way in pieces
	opened  int
	limit   int // of opened
	pieces  pieces
}

// line is the large frames of one shard, and what came after them.
type line struct {
	shard uint32
	after uint64 // how many segments of small frames go first: they may have some of this shard
	items []item
}

// item is a frame that is not sent by itself yet. frame is its header and
// message.
type item struct {
	frame, payload []byte
	parcel         uint64
	off            int // how much of payload has been sent
}

func (i *item) size() int { return len(i.frame) + len(i.payload) - i.off }

const (
	// apart is the size from which a payload is not copied into a segment.
	apart = 8 << 10
	// maxStreak is how many segments of small frames go before a piece of a
	// large one, which a flood of small ones must not keep waiting.
	maxStreak = 4
	// loose and more are the lines of frames that belong to no shard.
	loose = 1 << 16
)

// empty reports whether everything has been begun.
func (q *queue) empty() bool { return q.frames == 0 }

// push appends a frame of a shard: frame is its header and message, and is
// copied, payload the rest, and is kept if it is large.
func (q *queue) push(shard uint32, frame, payload []byte) {
	q.frames++
	q.bytes += len(frame) + len(payload)
	if q.straight(shard, len(payload)) {
		t := q.tail(len(frame) + len(payload))
		t.data = append(append(t.data, frame...), payload...)
		t.frames++
		return
	}
	l := q.lines[shard]
	if len(payload) < apart {
		whole := append(append(make([]byte, 0, len(frame)+len(payload)), frame...), payload...)
		l.items = append(l.items, item{frame: whole})
		return
	}
	if l == nil {
		l = q.line(shard)
	}
	q.parcels++
	q.large += len(frame) + len(payload)
	l.items = append(l.items, item{frame: append([]byte(nil), frame...), payload: payload, parcel: q.parcels})
}

// straight reports whether a frame of a shard, with so large a payload, stands in
// no line: then it goes after all that went straight before it.
func (q *queue) straight(shard uint32, payload int) bool {
	return payload < apart && (len(q.lines) == 0 || q.lines[shard] == nil)
}

func (q *queue) line(shard uint32) *line {
	after := q.filled
	if shard >= loose {
		// A line of its own, or nearly, which comes after nothing.
		shard += 1 + uint32(q.parcels%0xffff)
		after = 0
		if l := q.lines[shard]; l != nil {
			return l
		}
	}
	if q.lines == nil {
		q.lines = make(map[uint32]*line)
	}
	l := &line{shard: shard, after: after}
	q.lines[shard] = l
	q.turns = append(q.turns, l)
	return l
}

// tail returns a segment with room for n bytes.
func (q *queue) tail(n int) *segment {
	if last := len(q.small) - 1; last >= 0 {
		s := q.small[last]
		if cap(s.data)-len(s.data) >= n {
			return s
		}
		q.memory.seal(s)
	}
	s := q.memory.open(n)
	q.small = append(q.small, s)
	q.filled++
	return s
}

// pushAgain appends a frame that goes straight; see wire.Again.
func (q *queue) pushAgain(number wire.Again, payload []byte) {
	size := wire.AgainSize + len(payload)
	q.frames++
	q.bytes += size
	t := q.tail(size)
	begin := len(t.data)
	t.data = t.data[:begin+size] // there is room
	wire.PutAgain(t.data[begin:], number, len(payload))
	copy(t.data[begin+wire.AgainSize:], payload)
	t.frames++
}

// withdraw takes out the payloads that are larger than limit and have not been
// begun, and leaves void in their places. It returns their frames.
func (q *queue) withdraw(limit int, void func(shard uint32) []byte) (withdrawn [][]byte) {
	for _, l := range q.lines {
		for k := range l.items {
			i := &l.items[k]
			if len(i.payload) <= limit || i.off > 0 {
				continue
			}
			q.bytes -= i.size()
			q.large -= i.size()
			withdrawn = append(withdrawn, i.frame)
			i.frame, i.payload = void(l.shard), nil
			q.bytes += i.size()
		}
	}
	return withdrawn
}

// next begins what is to be sent next, small frames or a piece of a large one.
// It returns nil if there is nothing, or only large ones that are to wait.
func (q *queue) next(large bool) *segment {
	if large && q.streak >= maxStreak {
		if s := q.piece(); s != nil {
			return s
		}
	}
	if len(q.small) > 0 {
		q.streak++
		q.drained++
		q.pieces.small()
		s := q.small[0]
		left := copy(q.small, q.small[1:])
		q.small[left] = nil
		q.small = q.small[:left]
		q.memory.seal(s)
		q.frames -= s.frames
		q.bytes -= len(s.data)
		return s
	}
	if !large {
		return nil
	}
	return q.piece()
}

// piece returns the next piece of the line whose turn it is.
func (q *queue) piece() *segment {
	q.streak = 0
	for range len(q.turns) {
		l := q.turns[0]
		q.turns = append(q.turns[:0], q.turns[1:]...)
		var s *segment
		if l.after <= q.drained {
			s = q.advance(l)
		}
		if len(l.items) > 0 {
			q.turns = append(q.turns, l)
		} else {
			delete(q.lines, l.shard)
		}
		if s != nil {
			return s
		}
	}
	return nil
}

// advance begins more of the first item of l. It returns nil if that has to
// wait until others are finished.
func (q *queue) advance(l *line) *segment {
	i, most := &l.items[0], q.pieces.most()
	if i.off == 0 && len(i.payload) <= most {
		q.pieces.large(len(i.payload))
		q.bytes -= i.size()
		if i.payload != nil {
			q.large -= i.size()
		}
		s := q.memory.segment()
		s.data, s.payload, s.frames = i.frame, i.payload, 1
		q.finish(l)
		return s
	}
	part := wire.Part{Parcel: i.parcel}
	if i.off == 0 {
		if q.begun > 0 && q.opened+len(i.payload) > q.limit || q.begun >= wire.MaxParcels {
			return nil
		}
		q.opened += len(i.payload)
		q.begun++
		part.Total, part.Kind, part.Head = uint64(len(i.payload)), uint32(i.frame[0]), i.frame[wire.HeaderSize:]
		q.bytes -= len(i.frame)
		q.large -= len(i.frame)
	}
	piece := i.payload[i.off:min(i.off+most, len(i.payload))]
	q.pieces.large(len(piece))
	i.off += len(piece)
	q.bytes -= len(piece)
	q.large -= len(piece)
	s := q.memory.segment()
	s.data, s.payload, s.frames = wire.Append(nil, wire.KindPart, &part, len(piece)), piece, 1
	if i.off == len(i.payload) {
		q.opened -= len(i.payload)
		q.begun--
		q.finish(l)
	}
	return s
}

// finish takes the first item out of l.
func (q *queue) finish(l *line) {
	l.items[0] = item{}
	l.items = l.items[1:]
	q.frames--
}
