package strong

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// memoryStore is a store that is gone with its program. It implements
// raft.LogStore and raft.StableStore and is safe for concurrent use.
type memoryStore struct {
	mu     sync.RWMutex
	first  uint64 // index of logs[0]
	logs   []*raft.Log
	stable map[string][]byte
	ints   map[string]uint64
}

func newMemoryStore() *memoryStore {
	return &memoryStore{stable: make(map[string][]byte), ints: make(map[string]uint64)}
}

// Close does nothing.
func (s *memoryStore) Close() error { return nil }

// FirstIndex implements raft.LogStore.
func (s *memoryStore) FirstIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.logs) == 0 {
		return 0, nil
	}
	return s.first, nil
}

// LastIndex implements raft.LogStore.
func (s *memoryStore) LastIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.logs) == 0 {
		return 0, nil
	}
	return s.first + uint64(len(s.logs)) - 1, nil
}

// GetLog implements raft.LogStore.
func (s *memoryStore) GetLog(index uint64, log *raft.Log) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if index < s.first || index-s.first >= uint64(len(s.logs)) {
		return raft.ErrLogNotFound
	}
	*log = *s.logs[index-s.first]
	return nil
}

// StoreLog implements raft.LogStore.
func (s *memoryStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

// StoreLogs implements raft.LogStore.
func (s *memoryStore) StoreLogs(logs []*raft.Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range logs {
		if len(s.logs) == 0 {
			s.first = l.Index
		}
		if next := s.first + uint64(len(s.logs)); l.Index != next {
			return fmt.Errorf("strong: entry %d where %d is next", l.Index, next)
		}
		s.logs = append(s.logs, l)
	}
	return nil
}

// IsMonotonic implements raft.MonotonicLogStore: entries leave no gaps.
func (s *memoryStore) IsMonotonic() bool { return true }

// DeleteRange implements raft.LogStore, for a range at one of the ends.
func (s *memoryStore) DeleteRange(first, last uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.logs) == 0 {
		return nil
	}
	end := s.first + uint64(len(s.logs)) // the first index that is not there
	from, to := max(first, s.first), min(last+1, end)
	switch {
	case from >= to:
	case from == s.first:
		s.logs = append([]*raft.Log(nil), s.logs[to-s.first:]...) // lets go of the rest
		s.first = to
	case to == end:
		clear(s.logs[from-s.first:])
		s.logs = s.logs[:from-s.first]
	default:
		return fmt.Errorf("strong: deleting %d to %d in the middle of the log", first, last)
	}
	return nil
}

// Set implements raft.StableStore.
func (s *memoryStore) Set(key, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stable[string(key)] = bytes.Clone(value)
	return nil
}

// Get implements raft.StableStore.
func (s *memoryStore) Get(key []byte) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	value, ok := s.stable[string(key)]
	if !ok {
		return nil, errNotFound
	}
	return value, nil
}

// SetUint64 implements raft.StableStore.
func (s *memoryStore) SetUint64(key []byte, n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ints[string(key)] = n
	return nil
}

// GetUint64 implements raft.StableStore.
func (s *memoryStore) GetUint64(key []byte) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.ints[string(key)]
	if !ok {
		return 0, errNotFound
	}
	return n, nil
}

// memorySnapshots keeps the newest complete snapshot. It implements
// raft.SnapshotStore and is safe for concurrent use.
type memorySnapshots struct {
	mu     sync.Mutex
	meta   raft.SnapshotMeta
	data   []byte
	exists bool
}

// memorySink is a snapshot in the making. It implements raft.SnapshotSink.
type memorySink struct {
	bytes.Buffer
	to   *memorySnapshots
	meta raft.SnapshotMeta
}

// Create implements raft.SnapshotStore.
func (s *memorySnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	return &memorySink{to: s, meta: raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("%d-%d", term, index), Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}}, nil
}

// List implements raft.SnapshotStore.
func (s *memorySnapshots) List() ([]*raft.SnapshotMeta, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.exists {
		return nil, nil
	}
	meta := s.meta
	return []*raft.SnapshotMeta{&meta}, nil
}

// Open implements raft.SnapshotStore.
func (s *memorySnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.exists || s.meta.ID != id {
		return nil, nil, fmt.Errorf("strong: no snapshot %s", id)
	}
	meta := s.meta
	return &meta, io.NopCloser(bytes.NewReader(s.data)), nil
}

// ID implements raft.SnapshotSink.
func (k *memorySink) ID() string { return k.meta.ID }

// Close implements raft.SnapshotSink: it puts the snapshot in the store.
func (k *memorySink) Close() error {
	k.to.mu.Lock()
	defer k.to.mu.Unlock()
	k.meta.Size = int64(k.Len())
	k.to.meta, k.to.data, k.to.exists = k.meta, k.Bytes(), true
	return nil
}

// Cancel implements raft.SnapshotSink.
func (k *memorySink) Cancel() error { return nil }
