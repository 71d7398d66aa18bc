package exchange

import (
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

const (
	// maxEarly bounds the updates that wait until their owners are known: with the
	// largest of them, some ten megabytes, and more than a hundred joiners broadcast while
	// they wait to be introduced together. What finds no room is found missing later.
	maxEarly = 256
	// earlyFor is how long they wait: longer than news of a joiner takes, also if three
	// who are to introduce it do not.
	earlyFor = 20 * time.Second
)

// early is an update of a node that is not known to be up. Nothing keeps a broadcast of
// a joiner from coming before the news that there is one.
type early[V any] struct {
	from   actor.NodeID
	update ledger.Update[V]
	came   time.Time
}

// keep lets u wait for the news that from is up.
func (x *Exchange[V]) keep(now time.Time, from actor.NodeID, u ledger.Update[V]) {
	x.expire(now)
	if len(x.early) == maxEarly {
		x.early = slices.Delete(x.early, 0, 1)
	}
	x.early = append(x.early, early[V]{from, u, now})
}

// expire forgets what has waited in vain.
func (x *Exchange[V]) expire(now time.Time) {
	x.early = slices.DeleteFunc(x.early, func(e early[V]) bool { return now.Sub(e.came) >= earlyFor })
}

// welcome takes in what has come of node before the news that it is up.
func (x *Exchange[V]) welcome(node actor.NodeID) (changes []ledger.Change[V]) {
	x.early = slices.DeleteFunc(x.early, func(e early[V]) bool {
		if e.from != node {
			return false
		}
		more, _ := x.ledger.Apply(node, e.update, false)
		changes = append(changes, more...)
		return true
	})
	return changes
}
