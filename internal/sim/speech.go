package sim

import (
	"encoding/binary"
	"errors"
	"sync"
)

// speech is what parts of nodes have broadcast: nobody here looks at bytes. Nodes of
// several workers speak and hear at once.
type speech struct {
	mu   sync.RWMutex
	said map[uint64]any
	each map[int32]uint32 // how much each node has said
}

// encode notes what node i says, and returns what stands for it. That is longer than a
// broadcast that is measured.
func (s *speech) encode(i int32, v any) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said == nil {
		s.said, s.each = make(map[uint64]any), make(map[int32]uint32)
	}
	number := uint64(i)<<32 | uint64(s.each[i])
	s.each[i]++
	s.said[number] = v
	return binary.BigEndian.AppendUint64(nil, number)
}

var errNoValue = errors.New("sim: no such value")

func (s *speech) decode(b []byte) (any, error) {
	if len(b) != 8 {
		return nil, errNoValue
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.said[binary.BigEndian.Uint64(b)]
	if !ok {
		return nil, errNoValue
	}
	return v, nil
}

// count is how much all have said.
func (s *speech) count() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.said)
}
