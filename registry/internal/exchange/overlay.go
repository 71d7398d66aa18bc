package exchange

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

const (
	// beat is how often a node compares what it has with a neighbor, and hurry how
	// soon it does if it knows that something is missing: longer than a broadcast
	// takes to repair itself most often.
	beat  = time.Second
	hurry = 250 * time.Millisecond
	// haste is how soon a node that is Hasty compares with all neighbors after a
	// member was lost, and how soon again, hastyRounds times, each time after twice as
	// long: a few links lead to everybody.
	haste       = 50 * time.Millisecond
	hastyRounds = 3
	// castBytes bounds what is broadcast at a time: less than a broadcast may have,
	// since weights are estimates.
	castBytes = 48 << 10
)

// Overlay is what a [Cluster] may be, too, whose nodes are not all linked.
type Overlay interface {
	// Linked reports whether it is for links between all members, as a full mesh
	// is. It may change.
	Linked() bool
	// Neighbors are the members that this node is linked to.
	Neighbors() []actor.NodeID
	// Broadcast lets payload be handled once on every member, in any order, or, for
	// those that lose touch, not at all. It may be handled on this node.
	Broadcast(topic string, payload []byte) error
	// HandleBroadcast lets f handle what comes for topic.
	HandleBroadcast(topic string, f func(from actor.NodeID, payload []byte))
}

// vector says how far parts have come on a node: all that it has, or, in Answer to
// such a vector, those that the receiver has not.
type vector struct {
	_         struct{} `cbor:",toarray"`
	Standings []ledger.Standing
	Answer    bool
}

// direct reports whether everybody is linked to everybody.
func (x *Exchange[V]) direct() bool { return x.overlay == nil || x.overlay.Linked() }

// cast broadcasts an update. If that fails, neighbors find out that it is missing.
func (x *Exchange[V]) cast(now time.Time, u *ledger.Update[V]) {
	x.clock.cast = now.Add(x.cfg.Gather)
	if err := x.overlay.Broadcast(x.cfg.Topic, encode(message[V]{Update: u})); err != nil {
		x.cfg.Logger.Debug("not broadcast: it is left to comparison", "topic", x.cfg.Topic, "error", err)
	}
}

// hear takes in what a node has broadcast.
func (x *Exchange[V]) hear(from actor.NodeID, payload []byte) {
	if from == x.cfg.Node {
		return
	}
	m, ok := x.decode(from, payload)
	if !ok || m.Update == nil {
		return
	}
	x.mu.Lock()
	if !x.up[from] {
		x.keep(time.Now(), from, *m.Update)
		x.mu.Unlock()
		return
	}
	before := x.ledger.Complete()
	changes, gap := x.ledger.Apply(from, *m.Update, false)
	if gap {
		x.tries = 0
	}
	turned := x.ledger.Complete() != before
	x.conclude(changes) // unlocks
	if gap {
		x.rouse()
	}
	if turned {
		x.turned()
	}
}

// keepBeat lets, if it is time, a neighbor be sent the sum of what there is.
func (x *Exchange[V]) keepBeat(now time.Time) {
	x.mu.Lock()
	hasty := x.rounds > 0
	if soon := now.Add(x.interval()); soon.Before(x.clock.beat) {
		x.clock.beat = soon
	}
	x.mu.Unlock()
	if now.Before(x.clock.beat) {
		return
	}
	partners := x.partners(hasty)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, partner := range partners {
		x.sums[partner] = true
	}
	x.rounds = max(0, x.rounds-1)
	if x.tries++; !x.ledger.Wanting() {
		x.tries = 0
	}
	x.clock.beat = now.Add(x.interval())
}

// interval is how long after the last beat there is another. While something is
// missing that is not long, but the longer the longer that lasts.
func (x *Exchange[V]) interval() time.Duration {
	switch {
	case x.rounds > 0:
		return haste << (hastyRounds - x.rounds)
	case x.ledger.Wanting():
		return hurry << min(x.tries, 2)
	}
	return beat
}

// partners are all neighbors, or one at random, or any member if there is none.
func (x *Exchange[V]) partners(all bool) []actor.NodeID {
	others := x.but(x.overlay.Neighbors())
	if len(others) > 0 && all {
		return others
	}
	if len(others) == 0 {
		others = x.but(x.cluster.Members())
	}
	if len(others) == 0 {
		return nil
	}
	i := rand.IntN(len(others))
	return others[i : i+1]
}

// but is nodes without this one.
func (x *Exchange[V]) but(nodes []actor.NodeID) []actor.NodeID {
	return slices.DeleteFunc(slices.Clone(nodes), func(n actor.NodeID) bool { return n == x.cfg.Node })
}

// compare takes in another's vector, and lets it know what it lacks itself.
func (x *Exchange[V]) compare(from actor.NodeID, v *vector) []ledger.Change[V] {
	changes, ahead := x.ledger.Compare(from, v.Standings)
	if !v.Answer && len(ahead) > 0 {
		x.vectors[from] = vector{Standings: ahead, Answer: true}
	}
	return changes
}

// goOn compares once more with a node that has given the last page of a part, if
// there may be others: it is not asked for all at a time.
func (x *Exchange[V]) goOn(from actor.NodeID, last bool) {
	x.tries = 0
	if last && x.ledger.Wanting() && !x.ledger.Asking() {
		x.sums[from] = true
	}
}
