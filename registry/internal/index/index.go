// Package index is a hash table from strings that is read without a lock while
// it is written.
//
//	hash ──▶ one of 256 shards ──▶ slots{hash, pointer} ──▶ entry{key, value}
//	                                  └ atomic             └ never changes
//
// A reader misses the cache twice, at a slot and at its entry, and allocates
// nothing. A writer replaces one
// slot; now and then it makes a shard's slots anew, which are a 256th of the
// table, so that no update takes long either.
package index

import (
	"hash/maphash"
	"iter"
	"sync/atomic"
)

const (
	shards = 256
	// smallest is how many slots a shard has at least, a power of two.
	smallest = 8
)

// Map is a table of values by key. Get, All and Len may be called by any
// goroutine at any time; Set and Delete by one at a time, which the caller sees
// to. Make one with [New].
type Map[V any] struct {
	seed   maphash.Seed
	gone   *entry[V] // marks a slot whose entry was deleted
	live   atomic.Int64
	shards [shards]shard[V]
}

// shard is one part of a Map.
//
// Invariants:
//  1. Less than three quarters of the slots are used, so that every search ends
//     at an empty one.
//  2. A slot gets its entry before its hash, and keeps its hash.
type shard[V any] struct {
	slots atomic.Pointer[[]slot[V]] // a power of two of them
	used  int                       // slots that are not empty
	live  int                       // of those, not deleted
}

// slot is empty while its hash is zero.
type slot[V any] struct {
	hash  atomic.Uint64
	entry atomic.Pointer[entry[V]]
}

type entry[V any] struct {
	key   string
	value V
}

// New returns an empty table.
func New[V any]() *Map[V] {
	return &Map[V]{seed: maphash.MakeSeed(), gone: new(entry[V])}
}

// hash is never zero.
func (m *Map[V]) hash(key string) uint64 {
	if h := maphash.String(m.seed, key); h != 0 {
		return h
	}
	return 1
}

// Get returns the value of key, or nil. It must not be changed; a later Set
// puts another one in its place.
func (m *Map[V]) Get(key string) *V {
	hash := m.hash(key)
	table := m.shards[hash%shards].slots.Load()
	if table == nil {
		return nil
	}
	slots := *table
	for i := hash / shards; ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		switch s.hash.Load() {
		case 0:
			return nil
		case hash:
			if e := s.entry.Load(); e.key == key && e != m.gone {
				return &e.value
			}
		}
	}
}

// Len is how many keys there are.
func (m *Map[V]) Len() int { return int(m.live.Load()) }

// Set gives key a value, in place of the one it had.
func (m *Map[V]) Set(key string, value V) {
	hash := m.hash(key)
	e := &entry[V]{key: key, value: value}
	s := &m.shards[hash%shards]
	if slot := m.find(s, hash, key); slot != nil {
		slot.entry.Store(e)
		return
	}
	s.live++
	m.live.Add(1)
	m.insert(s, hash, e)
}

// Delete removes key, if it is there.
func (m *Map[V]) Delete(key string) {
	hash := m.hash(key)
	s := &m.shards[hash%shards]
	slot := m.find(s, hash, key)
	if slot == nil {
		return
	}
	slot.entry.Store(m.gone)
	s.live--
	m.live.Add(-1)
	if s.live == 0 {
		s.slots.Store(nil)
		s.used = 0
	}
}

// All iterates over what is there. What is set or deleted meanwhile may or may
// not be among it.
func (m *Map[V]) All() iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for i := range m.shards {
			table := m.shards[i].slots.Load()
			if table == nil {
				continue
			}
			for j := range *table {
				e := (*table)[j].entry.Load()
				if e != nil && e != m.gone && !yield(e.key, &e.value) {
					return
				}
			}
		}
	}
}

// find returns the slot that key is in.
func (m *Map[V]) find(s *shard[V], hash uint64, key string) *slot[V] {
	table := s.slots.Load()
	if table == nil {
		return nil
	}
	slots := *table
	for i := hash / shards; ; i++ {
		slot := &slots[i&uint64(len(slots)-1)]
		switch slot.hash.Load() {
		case 0:
			return nil
		case hash:
			if e := slot.entry.Load(); e.key == key && e != m.gone {
				return slot
			}
		}
	}
}

// insert puts an entry into an empty slot. Slots of deleted entries are not
// used again, lest a reader on its way past one miss what lies behind; they are
// left out when the slots are made anew.
func (m *Map[V]) insert(s *shard[V], hash uint64, e *entry[V]) {
	table := s.slots.Load()
	if table == nil || (s.used+1)*4 > len(*table)*3 {
		table = m.remake(s)
	}
	place(*table, hash, e)
	s.used++
	if s.slots.Load() != table {
		s.slots.Store(table)
	}
}

// remake returns slots of the right number with all live entries.
func (m *Map[V]) remake(s *shard[V]) *[]slot[V] {
	size := smallest
	for size < s.live*2 {
		size *= 2
	}
	fresh := make([]slot[V], size)
	s.used = 0
	if old := s.slots.Load(); old != nil {
		for i := range *old {
			if e := (*old)[i].entry.Load(); e != nil && e != m.gone {
				place(fresh, (*old)[i].hash.Load(), e)
				s.used++
			}
		}
	}
	return &fresh
}

func place[V any](slots []slot[V], hash uint64, e *entry[V]) {
	for i := hash / shards; ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		if s.hash.Load() == 0 {
			s.entry.Store(e)
			s.hash.Store(hash)
			return
		}
	}
}
