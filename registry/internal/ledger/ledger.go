package ledger

import (
	"iter"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
)

const (
	// parkedFor is how long the part of a lost node is kept in case it is
	// back: longer than most partitions.
	parkedFor = 10 * time.Minute
	// maxParked bounds how many such parts are kept.
	maxParked = 64
)

// Change is what happened to one key of one part. Old is its value before, if
// Had, and New the one from now on, if Has.
type Change[V any] struct {
	Owner    actor.NodeHandle
	Key      string
	Old, New V
	Had, Has bool
}

// Update carries changes of the sender's part, in order. After is the number
// of changes before the first of them, and Base what its ledger counts from: who
// has fewer has nothing that is still there.
type Update[V any] struct {
	_           struct{} `cbor:",toarray"`
	Base, After uint64
	Records     []Record[V]
}

// Have says how many changes the sender's part has had, and its sum.
type Have struct {
	_   struct{} `cbor:",toarray"`
	Seq uint64
	Sum uint64
}

// Ledger is the table as one node knows it.
//
// Invariants:
//  1. seq grows by one with each change of the own part; the changes not yet
//     handed out by Flush are pending, in order.
//  2. A replica's part was the owner's at replica.seq, if it is neither partial
//     nor torn.
//  3. What Changes have told is what Parts shows: of the own part everything,
//     of others those that are up and not hidden.
//  4. byMark has exactly the replicas of others, and held counts what they hold.
type Ledger[V any] struct {
	self      actor.NodeHandle
	mark      uint64
	base, seq uint64
	own       part[V]
	pending   []Record[V]
	others    map[actor.NodeID]*replica[V]
	byMark    map[uint64]*replica[V]
	held      int
	serial    uint64 // of the last pull
}

// New returns an empty ledger of node self, whose changes are counted from base
// on. A ledger that is started anew by the same incarnation of a node needs a
// greater base than all it counted to before, such as the time.
func New[V any](self actor.NodeID, base uint64) *Ledger[V] {
	return &Ledger[V]{
		self: unique.Make(self), mark: markOf(self), base: base, seq: base,
		others: make(map[actor.NodeID]*replica[V]), byMark: make(map[uint64]*replica[V]),
	}
}

// Put writes key, which must not be empty, to the own part.
func (l *Ledger[V]) Put(key string, value V) Change[V] {
	c := Change[V]{Owner: l.self, Key: key, New: value, Has: true}
	if old, ok := l.own.get(key); ok {
		c.Old, c.Had = old.value, true
	}
	l.seq++
	l.own.set(key, versioned[V]{l.seq, value})
	l.pending = append(l.pending, Record[V]{Key: key, Version: l.seq, Value: value})
	return c
}

// Delete removes key from the own part. It reports false if it is not there.
func (l *Ledger[V]) Delete(key string) (Change[V], bool) {
	old, ok := l.own.get(key)
	if !ok {
		return Change[V]{}, false
	}
	l.seq++
	l.own.remove(key)
	l.pending = append(l.pending, Record[V]{Key: key, Version: l.seq, Gone: true})
	return Change[V]{Owner: l.self, Key: key, Old: old.value, Had: true}, true
}

// Get reads the own part.
func (l *Ledger[V]) Get(key string) (V, bool) {
	v, ok := l.own.get(key)
	return v.value, ok
}

// Own iterates over the own part, in no order.
func (l *Ledger[V]) Own() iter.Seq2[string, V] { return l.own.all() }

// Size is how many keys the own part has.
func (l *Ledger[V]) Size() int { return l.own.size }

// Have is what the others are told now and then.
func (l *Ledger[V]) Have() Have { return Have{Seq: l.seq, Sum: l.own.total} }

// Pending reports whether Flush has something to hand out.
func (l *Ledger[V]) Pending() bool { return len(l.pending) > 0 }

// Flush hands out the changes that the others have not been told of, in updates
// of at most limit by weigh, or of one record.
func (l *Ledger[V]) Flush(limit int, weigh func(*Record[V]) int) []Update[V] {
	var updates []Update[V]
	records := l.pending
	l.pending = nil
	for len(records) > 0 {
		n := fits(records, limit, weigh)
		updates = append(updates, Update[V]{Base: l.base, After: records[0].Version - 1, Records: records[:n:n]})
		records = records[n:]
	}
	return updates
}

// fits is how many of the first records stay within limit: at least one.
func fits[V any](records []Record[V], limit int, weigh func(*Record[V]) int) int {
	weight := 0
	for i := range records {
		weight += weigh(&records[i])
		if weight > limit && i > 0 {
			return i
		}
	}
	return len(records)
}
