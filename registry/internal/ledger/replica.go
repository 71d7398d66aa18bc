package ledger

import (
	"cmp"
	"iter"
	"slices"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
)

// replica is what is known of another node's part.
//
// Invariants:
//  1. held is sorted by After, and all of it is behind seq.
//  2. While partial, some of the part is of seq or later and some from before;
//     if torn is not nil, stretches of it are of later than seq, each as it says.
//  3. A hidden part is being pulled, from its owner, until it is not hidden.
type replica[V any] struct {
	part[V]
	node actor.NodeHandle
	mark uint64
	seq  uint64

	up      bool
	parked  time.Time // when it went down
	hidden  bool      // it was parked, and is not yet as its owner's again
	synced  bool      // it has been as its owner's since the node is up
	partial bool      // a pull has changed it and has not ended
	torn    []stretch // what the last pull found, if that was not all of one time
	held    []Update[V]
	missed  bool // an update was not even held
	pull    pull
}

// whole reports whether the part is exactly its owner's at seq.
func (r *replica[V]) whole() bool {
	return r.up && r.synced && !r.hidden && !r.partial && r.torn == nil
}

// Up notes that node is up. It begins to ask it for its part if ask says so, and in
// any case if there is something of it that must not be seen until it is confirmed.
func (l *Ledger[V]) Up(node actor.NodeID, ask bool) {
	r := l.others[node]
	if r == nil {
		r = &replica[V]{node: unique.Make(node), mark: markOf(node)}
		l.others[node], l.byMark[r.mark] = r, r
	}
	if !r.up {
		r.up, r.synced = true, false
		r.hidden = r.size > 0
	}
	if ask || r.hidden {
		l.begin(r, node)
	}
}

// Down notes that node is lost. Its part is kept for a while, and not shown.
func (l *Ledger[V]) Down(now time.Time, node actor.NodeID) []Change[V] {
	r := l.others[node]
	if r == nil || !r.up {
		return nil
	}
	r.up, r.pull.on, r.parked = false, false, now
	l.letGo(r, len(r.held))
	var changes []Change[V]
	if !r.hidden {
		for key, value := range r.all() {
			changes = append(changes, Change[V]{Owner: r.node, Key: key, Old: value, Had: true})
		}
	}
	l.clearOut(now)
	return sorted(changes)
}

// clearOut forgets parts that were parked too long ago, or are too many: the empty ones
// first, which are kept so that nothing older is taken for them.
func (l *Ledger[V]) clearOut(now time.Time) {
	var parked []actor.NodeID
	for node, r := range l.others {
		switch {
		case r.up:
		case now.Sub(r.parked) >= parkedFor || r.seq == 0:
			l.forget(node)
		default:
			parked = append(parked, node)
		}
	}
	if len(parked) <= maxParked {
		return
	}
	slices.SortFunc(parked, func(a, b actor.NodeID) int {
		x, y := l.others[a], l.others[b]
		return cmp.Or(cmp.Compare(min(x.size, 1), min(y.size, 1)), x.parked.Compare(y.parked))
	})
	for _, node := range parked[:len(parked)-maxParked] {
		l.forget(node)
	}
}

func (l *Ledger[V]) forget(node actor.NodeID) {
	delete(l.byMark, l.others[node].mark)
	delete(l.others, node)
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

// Whole reports whether node's part is known as it was at one moment: not while it is
// known from some pages and not from all.
func (l *Ledger[V]) Whole(node actor.NodeID) bool {
	r := l.others[node]
	return node == l.self.Value() || r != nil && r.whole()
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
