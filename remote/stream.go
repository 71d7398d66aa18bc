package remote

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/remote/order"
	"github.com/topos-go/topos/remote/wire"
)

// streamKind says what a stream carries.
type streamKind uint8

const (
	streamData       streamKind = iota // signals between processes
	streamControl                      // topics of higher layers
	streamMembership                   // heartbeats and member lists; not sequenced
	streamPosts                        // single messages of the overlay; not sequenced
)

// stream is one channel to one peer: what waits for it, and its lanes.
type stream struct {
	peer *peer
	ch   *Channel
	kind streamKind

	mu      sync.Mutex
	table   order.Table
	active  int       // how many lanes get messages
	grown   time.Time // when a lane was last added
	calmFor int       // for how many heartbeats one lane less would have done
	stage   *stage    // of channels that may drop or replace what waits
	lanes   []*lane   // by number; nil where there is none yet
	room    room      // of what waits, and has not been confirmed, on all lanes
	closed  bool

	// delivered counts, of what has come, each shard's and then each lane's
	// unordered messages.
	delivered []atomic.Uint64
}

func newStream(p *peer, ch *Channel, kind streamKind) *stream {
	s := &stream{peer: p, ch: ch, kind: kind, active: ch.MinLanes, room: newRoom(ch)}
	if kind == streamData {
		s.delivered = make([]atomic.Uint64, shards+maxLanes)
	}
	if ch.Monotonic || ch.WhenFull == DropOldest {
		s.stage = &stage{monotonic: ch.Monotonic}
	}
	return s
}

// errOverflow says that the queue is beyond even what signals may use.
var errOverflow = errors.New("remote: queue overflow")

// lane returns a lane by its number, making it if need be. It returns nil if
// the peer is retired.
func (s *stream) lane(index int) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.laneLocked(index)
}

func (s *stream) laneLocked(index int) *lane {
	for index >= len(s.lanes) {
		s.lanes = append(s.lanes, nil)
	}
	if s.lanes[index] == nil && !s.closed {
		l := newLane(s, index)
		if !s.peer.run(l) {
			return nil
		}
		s.lanes[index] = l
	}
	return s.lanes[index]
}

// all returns the lanes there are.
func (s *stream) all() []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	lanes := make([]*lane, 0, len(s.lanes))
	for _, l := range s.lanes {
		if l != nil {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// push queues m. If there is no room, the channel's policy decides, which may be
// to wait.
func (s *stream) push(m outgoing, same sameKey, w *wait) error {
	s.mu.Lock()
	for big := large(len(m.payload)); !m.must && s.room.refuses(big) && !s.closed; {
		if s.makeRoomLocked(&m) {
			continue
		}
		if s.ch.WhenFull != Block {
			s.mu.Unlock()
			return fmt.Errorf("%w: %d bytes wait on channel %q", ErrQueueFull, s.ch.QueueBytes, s.ch.Name)
		}
		if err := s.awaitRoom(big, w); err != nil { // unlocks meanwhile
			s.mu.Unlock()
			return err
		}
	}
	switch {
	case s.closed:
		s.mu.Unlock()
		return fmt.Errorf("%w: %v", ErrNotMember, s.peer.id.Name)
	case s.room.bytes >= 2*s.ch.QueueBytes+s.peer.node.cfg.MaxMessage:
		s.mu.Unlock()
		return errOverflow
	}
	var replaced *letter
	var l *lane
	if s.stage != nil {
		before := s.stage.bytes
		replaced = s.stage.push(m, same)
		s.room.resize(s.stage.bytes-before, 0)
		s.refillLocked()
	} else if l = s.pushLocked(&m); l == nil {
		s.mu.Unlock()
		return fmt.Errorf("%w: %v", ErrNotMember, s.peer.id.Name)
	}
	if l != nil && m.urgent && l.mayWrite() {
		l.writeAtOnce() // unlocks
	} else {
		if l != nil {
			l.rouse()
		}
		s.mu.Unlock()
	}
	if replaced != nil {
		s.peer.node.superseded(replaced)
	}
	return nil
}

// pushAtOnce queues a plain message. It reports false if that takes more than a
// moment.
func (s *stream) pushAtOnce(e *encoder) bool {
	s.mu.Lock()
	var l *lane
	if !s.closed && !s.room.refuses(large(len(e.payload))) {
		if l = s.pushPlainLocked(e); l != nil {
			l.rouse()
		}
	}
	s.mu.Unlock()
	return l != nil
}

// pushPlainLocked hands a plain message to its lane, as pushLocked does.
func (s *stream) pushPlainLocked(e *encoder) *lane {
	index := 0
	if s.active > 1 {
		index = order.Home(e.shard, s.active)
	}
	if index < len(s.lanes) {
		if l := s.lanes[index]; l != nil && s.table.Follow(e.shard, l) {
			l.pushPlain(e)
			l.pushedLocked()
			s.table.Pushed(e.shard)
			s.growLocked()
			return l
		}
	}
	return s.pushLocked(&outgoing{shard: e.shard, payload: e.payload, plain: e})
}

// pushLocked hands m to its lane, which it returns: nil if the peer is retired.
func (s *stream) pushLocked(m *outgoing) *lane {
	if m.pinned {
		l := s.laneLocked(0)
		if l != nil {
			l.pushLocked(loose, m.frame, m.payload)
		}
		return l
	}
	l, seq, after := s.placeLocked(m)
	if l == nil {
		return nil
	}
	after = append(after, m.after...)
	for marks := range slices.Chunk(after, maxMarks) { // of one condition, or several in a row
		l.pushLocked(m.shard, wire.Append(nil, wire.KindAfter, &wire.After{Shard: m.shard + 1, Marks: marks}, 0), nil)
	}
	if m.plain != nil {
		l.pushPlain(m.plain)
		l.pushedLocked()
	} else {
		l.pushLocked(m.shard, m.frame, m.payload)
	}
	s.table.Pushed(seq)
	s.growLocked()
	return l
}

// stageBytes is how much of a channel that may drop or replace what waits is
// handed to a lane in advance.
const stageBytes = 64 << 10

// refillLocked hands staged frames to lanes that have little to do.
func (s *stream) refillLocked() {
	for s.stage != nil && !s.stage.empty() && s.unsentLocked() < stageBytes {
		s.unstageLocked()
	}
}

// unstageLocked hands the first staged frame to its lane.
func (s *stream) unstageLocked() {
	m := s.stage.pop()
	s.room.resize(-m.size(), 0)
	if l := s.pushLocked(&m); l != nil {
		l.rouse()
	}
}

// settled reports whether everything has been confirmed.
func (s *stream) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room.bytes == 0
}

// unsent returns how much the busiest lane has not begun.
func (s *stream) unsent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsentLocked()
}

// unsentLocked returns how much the busiest lane has not begun.
func (s *stream) unsentLocked() int {
	most := 0
	for _, l := range s.lanes {
		if l != nil {
			most = max(most, l.out.queue.bytes)
		}
	}
	return most
}

// makeRoomLocked drops a letter, if that is the channel's way. It reports false
// if there is none to drop.
func (s *stream) makeRoomLocked(m *outgoing) bool {
	if s.ch.WhenFull != DropOldest || m.letter == nil {
		return false
	}
	dropped := s.stage.drop()
	if dropped == nil {
		return false
	}
	s.room.resize(s.bytesLocked()-s.room.bytes, 0)
	n := s.peer.node
	s.mu.Unlock()
	n.dropped(dropped)
	s.mu.Lock()
	return true
}

func (s *stream) bytesLocked() int {
	sum := 0
	if s.stage != nil {
		sum = s.stage.bytes
	}
	for _, l := range s.lanes {
		if l != nil {
			sum += l.counted
		}
	}
	return sum
}

// awaitRoom waits until something has been confirmed. It is called with the
// lock held, which it gives up meanwhile.
func (s *stream) awaitRoom(large bool, w *wait) error {
	freed := s.room.freed
	s.room.enter(large)
	s.mu.Unlock()
	err := w.until(freed, s.peer.retired, "no room on the channel in time")
	s.mu.Lock()
	s.room.leave(large)
	return err
}

// count brings the room up to date after a change to l.
func (s *stream) count(l *lane) {
	size, bulk := l.out.size(), l.out.bulk()
	by, large := size-l.counted, bulk-l.bulk
	l.counted, l.bulk = size, bulk
	s.room.resize(by, large)
}

// close lets nothing be queued any more. It returns whether anything ever was,
// and how many frames were not confirmed.
func (s *stream) close() (used bool, lost uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.stage != nil {
		lost = uint64(len(s.stage.queue))
		s.stage.queue, s.stage.bytes = nil, 0
	}
	for _, l := range s.lanes {
		if l != nil {
			sent, unconfirmed := l.closeLocked()
			used, lost = used || sent, lost+unconfirmed
		}
	}
	s.room.free()
	return used, lost
}
