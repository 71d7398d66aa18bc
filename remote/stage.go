package remote

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/order"
	"github.com/topos-go/topos/remote/wire"
)

// outgoing is an encoded frame on its way into a stream.
type outgoing struct {
	shard   uint32
	pinned  bool             // to the first lane, and to no shard
	aside   bool             // it has a key, or goes to a name
	after   []*wire.Mark     // what must be delivered before it
	behind  []order.Standing // when that is sure to have been
	frame   []byte           // header and message
	payload []byte
	plain   *encoder // if not nil, what makes frame when the lane is known
	// must says that it is kept even if there is no room.
	must bool
	// urgent says that somebody waits for what comes of it.
	urgent bool
	// letter is what it is if it may be dropped, or replaced: a message that
	// nobody is told of.
	letter *letter
	from   actor.PID // of a staged one: its sender and its receiver
	to     actor.PID
}

func (m *outgoing) size() int { return len(m.frame) + len(m.payload) }

// letter is a message that has not been sent.
type letter struct {
	key sameKey
	sig actor.Signal
}

// sameKey is what messages have in common of which a monotonic channel keeps
// the newest.
type sameKey struct {
	from, to actor.PID
	name     actor.Name
	key      string
}

// stage is where the frames of a channel wait that may drop or replace them,
// until a lane is ready for them. It is pure; the stream's lock guards it.
//
// Invariants:
//  1. bytes is the sum of the sizes of the frames.
//  2. newest has, of a monotonic stage, the last letter with each key, unless
//     something with the same key that must arrive came after it.
type stage struct {
	monotonic bool
	first     int // the index of queue[0] since the beginning
	queue     []outgoing
	newest    map[sameKey]int
	bytes     int
}

func (s *stage) empty() bool { return len(s.queue) == 0 }

// push appends m, or lets it take the place of one that it replaces, which is
// returned. same is m's key also if m is no letter.
func (s *stage) push(m outgoing, same sameKey) (replaced *letter) {
	m.from, m.to = same.from, same.to
	m.frame = append([]byte(nil), m.frame...)
	if len(m.payload) < apart {
		m.payload = append([]byte(nil), m.payload...)
	}
	s.bytes += m.size()
	if !s.monotonic {
		s.queue = append(s.queue, m)
		return nil
	}
	at, found := s.newest[same]
	switch {
	case m.letter == nil:
		delete(s.newest, same)
	case found && at >= s.first:
		old := s.queue[at-s.first]
		s.bytes -= old.size()
		s.queue[at-s.first] = m
		return old.letter
	default:
		if s.newest == nil {
			s.newest = make(map[sameKey]int)
		}
		s.newest[same] = s.first + len(s.queue)
	}
	s.queue = append(s.queue, m)
	return nil
}

// pop takes out the first frame.
func (s *stage) pop() outgoing {
	m := s.queue[0]
	s.queue[0] = outgoing{}
	s.queue = s.queue[1:]
	s.first++
	s.bytes -= m.size()
	if m.letter != nil && s.monotonic && s.newest[m.letter.key] == s.first-1 {
		delete(s.newest, m.letter.key)
	}
	return m
}

// until returns how many frames there are up to the last of a pair.
func (s *stage) until(from, to actor.PID) int {
	for i := len(s.queue); i > 0; i-- {
		if m := &s.queue[i-1]; m.from == from && m.to == to {
			return i
		}
	}
	return 0
}

// drop takes out the oldest letter. It returns nil if there is none.
func (s *stage) drop() *letter {
	for i, m := range s.queue {
		if m.letter == nil {
			continue
		}
		s.bytes -= m.size()
		if s.monotonic {
			s.forget(i)
		}
		s.queue = append(s.queue[:i], s.queue[i+1:]...)
		return m.letter
	}
	return nil
}

// forget takes the frame at i out of newest, and moves those after it up.
func (s *stage) forget(i int) {
	for key, at := range s.newest {
		switch {
		case at == s.first+i:
			delete(s.newest, key)
		case at > s.first+i:
			s.newest[key] = at - 1
		}
	}
}
