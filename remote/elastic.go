package remote

import "time"

const (
	// growPause is how long a new lane is given to be of use before another
	// one is opened.
	growPause = 20 * time.Millisecond
	// shrinkAfter is how many heartbeats in a row a stream could have done with
	// one lane less before it does.
	shrinkAfter = 10
)

// growLocked opens another lane if too much waits on those there are. The
// stream's lock is held.
func (s *stream) growLocked() {
	if s.active >= s.ch.MaxLanes || s.room.bytes <= s.ch.GrowBytes*s.active {
		return
	}
	if now := time.Now(); now.Sub(s.grown) >= growPause {
		s.grown, s.calmFor = now, 0
		s.active++
		s.peer.node.stats.lanesOpened.Add(1)
	}
}

// shrink gives a lane up if those that remain would have little to do. Its
// connection is closed when it has been idle for long enough. It is called once
// a heartbeat by the first lane.
func (s *stream) shrink() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active <= s.ch.MinLanes || s.room.bytes > s.ch.GrowBytes*(s.active-1)/2 {
		s.calmFor = 0
		return
	}
	if s.calmFor++; s.calmFor >= shrinkAfter {
		s.calmFor = 0
		s.active--
		s.peer.node.stats.lanesClosed.Add(1)
	}
}
