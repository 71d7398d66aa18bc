package ledger

import (
	"iter"
	"slices"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
)

// replica is what is known of another node's part.
type replica[V any] struct {
	part[V]
	node actor.NodeHandle
	seq  uint64

	up     bool
	parked time.Time // when it went down
	hidden bool      // it was parked, and is not yet as its owner's again
	synced bool      // it has been as its owner's since the node is up
	gap    bool      // changes were missed
	asking bool      // an Ask is on its way, or its answer
	moved  bool      // a page has come since the last Tick
	next   Position  // what was asked for
}

// Up notes that node is up, and begins to ask it for its part.
func (l *Ledger[V]) Up(node actor.NodeID) {
	r := l.others[node]
	if r == nil {
		r = &replica[V]{node: unique.Make(node)}
		l.others[node] = r
	}
	if !r.up {
		r.up, r.synced, r.gap = true, false, false
		r.hidden = r.size > 0
	}
	r.ask()
}

// ask begins to ask for everything that differs.
func (r *replica[V]) ask() { r.asking, r.moved, r.next = true, true, Position{} }

// Down notes that node is lost. Its part is kept for a while, and not shown.
func (l *Ledger[V]) Down(now time.Time, node actor.NodeID) []Change[V] {
	r := l.others[node]
	if r == nil || !r.up {
		return nil
	}
	r.up, r.asking, r.parked = false, false, now
	var changes []Change[V]
	if !r.hidden {
		for key, value := range r.all() {
			changes = append(changes, Change[V]{Owner: r.node, Key: key, Old: value, Had: true})
		}
	}
	l.clearOut(now)
	return sorted(changes)
}

// clearOut forgets parts that were parked too long ago, or are too many.
func (l *Ledger[V]) clearOut(now time.Time) {
	var parked []actor.NodeID
	for node, r := range l.others {
		switch {
		case r.up:
		case now.Sub(r.parked) >= parkedFor || r.size == 0:
			delete(l.others, node)
		default:
			parked = append(parked, node)
		}
	}
	if len(parked) <= maxParked {
		return
	}
	slices.SortFunc(parked, func(a, b actor.NodeID) int { return l.others[a].parked.Compare(l.others[b].parked) })
	for _, node := range parked[:len(parked)-maxParked] {
		delete(l.others, node)
	}
}

// Tick is to be called every second or so. It returns whom to ask again,
// because no answer has come.
func (l *Ledger[V]) Tick(now time.Time) (again []actor.NodeID) {
	for node, r := range l.others {
		if r.up && r.asking && !r.moved {
			r.ask()
			again = append(again, node)
		}
		r.moved = false
	}
	l.clearOut(now)
	return again
}

// Ask is the question to node, if there is one.
func (l *Ledger[V]) Ask(node actor.NodeID) (Ask, bool) {
	r := l.others[node]
	if r == nil || !r.up || !r.asking {
		return Ask{}, false
	}
	ask := Ask{From: r.next}
	if r.size > 0 {
		ask.Sums = slices.Clone(r.sums[:])
	}
	return ask, true
}

// Apply takes in changes that from has made. It reports whether to ask.
func (l *Ledger[V]) Apply(from actor.NodeID, u Update[V]) (changes []Change[V], ask bool) {
	r := l.others[from]
	if r == nil || !r.up {
		return nil, false
	}
	missed := u.After > r.seq
	for i := range u.Records {
		rec := &u.Records[i]
		if rec.Key == "" || rec.Version <= r.seq {
			continue
		}
		changes = r.write(rec, changes)
		if !missed {
			r.seq = rec.Version
		}
	}
	if missed && !r.asking {
		r.ask()
		return changes, true
	}
	r.gap = r.gap || missed
	return changes, false
}

// Heard takes in what from says that its part is like. It reports whether to
// ask.
func (l *Ledger[V]) Heard(from actor.NodeID, h Have) (ask bool) {
	r := l.others[from]
	switch {
	case r == nil || !r.up:
		return false
	case r.asking && !r.next.start():
		return false // pages are on their way
	case !r.asking && r.seq == h.Seq && r.total == h.Sum:
		return false
	}
	// Also if it was asked and has not answered: it may not have been there yet.
	r.ask()
	return true
}

// Turn takes in a page of from's part. It reports whether to ask on.
func (l *Ledger[V]) Turn(from actor.NodeID, page Page[V]) (changes []Change[V], ask bool) {
	r := l.others[from]
	if r == nil || !r.up || !r.asking || page.From != r.next {
		return nil, false
	}
	r.moved = true
	if page.From.start() {
		r.seq, r.gap = page.Seq, false
	}
	for i := range page.Spans {
		changes = r.overwrite(&page.Spans[i], changes)
	}
	if !page.Last {
		r.next = page.Next
		return changes, true
	}
	r.asking = false
	if r.hidden {
		r.hidden = false
		changes = nil
		for key, value := range r.all() {
			changes = append(changes, Change[V]{Owner: r.node, Key: key, New: value, Has: true})
		}
		changes = sorted(changes)
	}
	if r.gap {
		r.ask()
		return changes, true
	}
	r.synced = true
	return changes, false
}

// overwrite makes what is known of a span what it is.
func (r *replica[V]) overwrite(span *Span[V], changes []Change[V]) []Change[V] {
	if span.Bucket < 0 || span.Bucket >= Buckets {
		return changes
	}
	there := make(map[string]bool, len(span.Records))
	for i := range span.Records {
		there[span.Records[i].Key] = true
	}
	for _, key := range r.after(span.Bucket, span.After) {
		if span.UpTo != "" && key > span.UpTo {
			break
		}
		if !there[key] {
			changes = r.write(&Record[V]{Key: key, Gone: true}, changes)
		}
	}
	for i := range span.Records {
		rec := &span.Records[i]
		if rec.Key == "" || bucketOf(rec.Key) != span.Bucket {
			continue
		}
		changes = r.write(rec, changes)
	}
	return changes
}

// write carries out one record, and adds what it changes that can be seen.
func (r *replica[V]) write(rec *Record[V], changes []Change[V]) []Change[V] {
	old, had := r.get(rec.Key)
	if rec.Gone && !had || !rec.Gone && had && old.version == rec.Version {
		return changes
	}
	c := Change[V]{Owner: r.node, Key: rec.Key, Old: old.value, Had: had}
	if rec.Gone {
		r.remove(rec.Key)
	} else {
		r.set(rec.Key, versioned[V]{rec.Version, rec.Value})
		c.New, c.Has = rec.Value, true
	}
	if r.hidden {
		return changes
	}
	return append(changes, c)
}

// Synced reports whether node's part has been complete since the node is up.
func (l *Ledger[V]) Synced(node actor.NodeID) bool {
	r := l.others[node]
	return r != nil && r.up && r.synced
}

// Part iterates over what node has written, as far as it is known and can be
// seen, in no order.
func (l *Ledger[V]) Part(node actor.NodeID) iter.Seq2[string, V] {
	if node == l.self.Value() {
		return l.own.all()
	}
	if r := l.others[node]; r != nil && r.up && !r.hidden {
		return r.all()
	}
	return func(func(string, V) bool) {}
}

// Look reads a key of node's part, as far as it is known and can be seen.
func (l *Ledger[V]) Look(node actor.NodeID, key string) (value V, ok bool) {
	if node == l.self.Value() {
		return l.Get(key)
	}
	if r := l.others[node]; r != nil && r.up && !r.hidden {
		v, ok := r.get(key)
		return v.value, ok
	}
	return value, false
}

func sorted[V any](changes []Change[V]) []Change[V] {
	slices.SortFunc(changes, func(a, b Change[V]) int {
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	return changes
}
