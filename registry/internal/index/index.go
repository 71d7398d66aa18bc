// Package index is a hash table from strings that is read without a lock while
// it is written.
//
//	hash ──▶ one of 256 shards ──▶ slots{tag, number} ──▶ entries{key, value}
//	                                  └ atomic      └───▶ rests{rest}
//
// A reader misses the cache twice, at a slot and at its entry, and allocates
// nothing. Slots are eight bytes, and what is rarely wanted of a value is kept apart
// from its entry, as the rest: what a look-up costs is, above all, how much memory
// random ones touch. A writer adds an entry behind the others and replaces one slot; now and
// then it makes a shard anew, which is a 256th of the table, so that no update
// takes long either.
package index

import (
	"hash/maphash"
	"iter"
	"sync/atomic"
)

const (
	shards = 256
	// smallest is how many entries there is room for in a shard, at least.
	smallest = 6
	// gone is the number of a slot whose entry was deleted.
	gone = 1<<32 - 1
)

// Map is a table of values V, each with a rest W, by key. Get, Whole, All and Len may
// be called by any goroutine at any time; Set and Delete by one at a time, which the
// caller sees to. Make one with [New].
type Map[V, W any] struct {
	seed   maphash.Seed
	live   atomic.Int64
	shards [shards]atomic.Pointer[shard[V, W]]
}

// shard is one part of a Map.
//
// Invariants:
//  1. There are fewer entries than slots, and no more slots in use than entries, so
//     that every search ends at an empty slot.
//  2. An entry never changes once a slot has its number, and a slot that is not
//     empty never is again. So who passes a slot on its way misses nothing behind it.
//  3. No more than half of the entries, and smallest, are out of use.
type shard[V, W any] struct {
	// A slot is empty while it is zero, and else the upper half of a key's hash and
	// the number of its entry, from 1 on.
	slots   []atomic.Uint64
	entries []entry[V] // the room for them
	rests   []W        // of each entry
	used    int        // entries that have been written
	live    int        // of those, the ones that slots have
}

type entry[V any] struct {
	key   string
	value V
}

// New returns an empty table.
func New[V, W any]() *Map[V, W] { return &Map[V, W]{seed: maphash.MakeSeed()} }

// Get returns the value of key, or nil. It must not be changed; a later Set
// puts another one in its place.
func (m *Map[V, W]) Get(key string) *V {
	value, _ := m.get(maphash.String(m.seed, key), key)
	return value
}

// Whole returns the value of key and its rest, or nil twice. They must not be changed.
func (m *Map[V, W]) Whole(key string) (*V, *W) {
	return m.get(maphash.String(m.seed, key), key)
}

func (m *Map[V, W]) get(hash uint64, key string) (*V, *W) {
	s := m.shards[hash%shards].Load()
	if _, number := s.find(hash, key); number > 0 {
		return &s.entries[number-1].value, &s.rests[number-1]
	}
	return nil, nil
}

// Len is how many keys there are.
func (m *Map[V, W]) Len() int { return int(m.live.Load()) }

// Set gives key a value, in place of the one it had.
func (m *Map[V, W]) Set(key string, value V, rest W) {
	m.set(maphash.String(m.seed, key), key, value, rest)
}

func (m *Map[V, W]) set(hash uint64, key string, value V, rest W) {
	at := &m.shards[hash%shards]
	s := at.Load()
	if s == nil || s.used == len(s.entries) {
		s = s.remake()
		defer at.Store(s)
	}
	s.entries[s.used], s.rests[s.used] = entry[V]{key, value}, rest
	s.used++
	slot := hash>>32<<32 | uint64(s.used)
	if old, number := s.find(hash, key); number > 0 {
		old.Store(slot)
		return
	}
	s.live++
	m.live.Add(1)
	s.free(hash).Store(slot)
}

// Delete removes key, if it is there.
func (m *Map[V, W]) Delete(key string) { m.remove(maphash.String(m.seed, key), key) }

func (m *Map[V, W]) remove(hash uint64, key string) {
	at := &m.shards[hash%shards]
	s := at.Load()
	slot, number := s.find(hash, key)
	if number == 0 {
		return
	}
	slot.Store(gone)
	s.live--
	m.live.Add(-1)
	switch {
	case s.live == 0:
		at.Store(nil)
	case s.used > s.live*2+smallest:
		at.Store(s.remake()) // lest what is gone be kept
	}
}

// All iterates over what is there. What is set or deleted meanwhile may or may
// not be among it.
func (m *Map[V, W]) All() iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for i := range m.shards {
			s := m.shards[i].Load()
			if s == nil {
				continue
			}
			for j := range s.slots {
				number := uint32(s.slots[j].Load())
				if number == 0 || number == gone {
					continue
				}
				if e := &s.entries[number-1]; !yield(e.key, &e.value) {
					return
				}
			}
		}
	}
}

// first is where a search for a hash begins.
func (s *shard[V, W]) first(hash uint64) uint64 { return (hash >> 32) * uint64(len(s.slots)) >> 32 }

// find returns the slot of key and the number of its entry, which is 0 for none.
func (s *shard[V, W]) find(hash uint64, key string) (*atomic.Uint64, uint32) {
	if s == nil {
		return nil, 0
	}
	for i := s.first(hash); ; i = s.after(i) {
		slot := s.slots[i].Load()
		if slot == 0 {
			return nil, 0
		}
		number := uint32(slot)
		if (slot^hash)>>32 == 0 && number != gone && s.entries[number-1].key == key {
			return &s.slots[i], number
		}
	}
}

// after is where a search goes on, behind slot i.
func (s *shard[V, W]) after(i uint64) uint64 {
	if i++; i < uint64(len(s.slots)) {
		return i
	}
	return 0
}

// free returns the first slot for a hash that is empty or whose entry is gone.
func (s *shard[V, W]) free(hash uint64) *atomic.Uint64 {
	for i := s.first(hash); ; i = s.after(i) {
		if slot := uint32(s.slots[i].Load()); slot == 0 || slot == gone {
			return &s.slots[i]
		}
	}
}

// remake returns a shard with the live entries of s, in their order, and room for more.
func (s *shard[V, W]) remake() *shard[V, W] {
	live := 0
	if s != nil {
		live = s.live
	}
	room := live + live/4 + smallest
	fresh := &shard[V, W]{
		slots: make([]atomic.Uint64, room+room/3), entries: make([]entry[V], room), rests: make([]W, room), live: live,
	}
	if s == nil {
		return fresh
	}
	for i := range s.slots {
		slot := s.slots[i].Load()
		number := uint32(slot)
		if number == 0 || number == gone {
			continue
		}
		fresh.entries[fresh.used], fresh.rests[fresh.used] = s.entries[number-1], s.rests[number-1]
		fresh.used++
		fresh.free(slot).Store(slot>>32<<32 | uint64(fresh.used))
	}
	return fresh
}
