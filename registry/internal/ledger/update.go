package ledger

import (
	"slices"

	"github.com/topos-go/topos/actor"
)

const (
	// maxHeld bounds the updates of one node that are held because they came too
	// early, and maxHeldByAll those of all nodes: what a broadcast repairs by itself
	// is few of them. What finds no room is pulled.
	maxHeld      = 64
	maxHeldByAll = 1024
)

// last is the number of changes after u.
func (u *Update[V]) last() uint64 {
	if len(u.Records) == 0 {
		return u.After
	}
	return u.Records[len(u.Records)-1].Version
}

// Apply takes in changes that owner has made, and reports whether there is
// something missing before them, for which they wait now. inOrder says that they
// have come by the way on which owner answers, in the order sent.
func (l *Ledger[V]) Apply(owner actor.NodeID, u Update[V], inOrder bool) (changes []Change[V], gap bool) {
	r := l.others[owner]
	if r == nil || !r.up || u.last() <= r.seq {
		return nil, false
	}
	switch {
	case inOrder && r.pull.on && r.partial && r.pull.from == owner && u.After <= r.seq:
		// Its pages, which come by the same way, are of before or after it.
		r.pull.dirty = true
		return r.follow(&u, nil), false
	case r.pull.on || r.partial:
		l.hold(r, u)
		return nil, !r.pull.on
	case u.After == u.Base && u.Base > r.seq:
		changes = r.empty(u.Base)
	case u.After > r.seq:
		l.hold(r, u)
		return nil, true
	}
	return l.drain(r, r.follow(&u, changes)), len(r.held) > 0
}

// empty makes r, which is not being pulled, what its owner's part was at seq: empty.
func (r *replica[V]) empty(seq uint64) (changes []Change[V]) {
	for key, value := range r.all() {
		changes = append(changes, Change[V]{Owner: r.node, Key: key, Old: value, Had: true})
	}
	r.clear()
	r.seq, r.torn, r.partial, r.synced = seq, nil, false, true
	return sorted(changes)
}

// follow carries out what u has beyond r.seq.
func (r *replica[V]) follow(u *Update[V], changes []Change[V]) []Change[V] {
	for i := range u.Records {
		rec := &u.Records[i]
		if rec.Version <= r.seq {
			continue
		}
		r.seq = rec.Version
		if rec.Key != "" && rec.Version > r.known(rec.Key) {
			changes = r.write(rec, changes)
		}
	}
	r.mend()
	return changes
}

// hold keeps u until what is missing before it is there.
func (l *Ledger[V]) hold(r *replica[V], u Update[V]) {
	i, there := slices.BinarySearchFunc(r.held, u.After, func(h Update[V], after uint64) int {
		switch {
		case h.After < after:
			return -1
		case h.After > after:
			return 1
		}
		return 0
	})
	switch {
	case there:
	case len(r.held) >= maxHeld || l.held >= maxHeldByAll:
		r.missed = true
	default:
		r.held = slices.Insert(r.held, i, u)
		l.held++
	}
}

// drain carries out what is held and fits now.
func (l *Ledger[V]) drain(r *replica[V], changes []Change[V]) []Change[V] {
	n := 0
	for n < len(r.held) && r.held[n].After <= r.seq {
		changes = r.follow(&r.held[n], changes)
		n++
	}
	l.letGo(r, n)
	return changes
}

// letGo lets the first n of what is held go.
func (l *Ledger[V]) letGo(r *replica[V], n int) {
	l.held -= n
	if r.held = slices.Delete(r.held, 0, n); len(r.held) == 0 {
		r.held = nil
	}
}
