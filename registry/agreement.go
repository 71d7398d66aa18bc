package registry

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// agreement decides when the nodes of one side see the same members, which is
// when they may act on it: the pure core of placement.
//
// A view is the members and the facts about them, such as their weights: whatever
// decides where a child belongs.
//
// Invariants:
//  1. views holds what each member last said its view was, and facts the hash
//     of what is known of it; a member of which nothing is known has none.
//  2. since is when all members' views last became the same as this node's, and
//     there were facts of all of them; zero while that is not so.
type agreement struct {
	self   actor.NodeID
	settle time.Duration
	up     map[actor.NodeID]bool
	views  map[actor.NodeID]uint64
	facts  map[actor.NodeID]uint64
	since  time.Time
}

func newAgreement(self actor.NodeID, settle time.Duration) *agreement {
	return &agreement{
		self:   self,
		settle: settle,
		up:     map[actor.NodeID]bool{self: true},
		views:  make(map[actor.NodeID]uint64),
		facts:  make(map[actor.NodeID]uint64),
	}
}

// member notes that node came up or went down. It reports whether that is new;
// then the others must be told of the view.
func (a *agreement) member(now time.Time, node actor.NodeID, up bool) bool {
	if a.up[node] == up || node == a.self {
		return false
	}
	if up {
		a.up[node] = true
	} else {
		delete(a.up, node)
		delete(a.views, node)
		delete(a.facts, node)
	}
	a.since = time.Time{}
	a.weigh(now)
	return true
}

// fact notes what is known of node, which is up. It reports whether that is
// new; then the others must be told of the view.
func (a *agreement) fact(now time.Time, node actor.NodeID, fact uint64) bool {
	if known, ok := a.facts[node]; !a.up[node] || ok && known == fact {
		return false
	}
	a.facts[node] = fact
	a.since = time.Time{}
	a.weigh(now)
	return true
}

// heard notes what node says its view is.
func (a *agreement) heard(now time.Time, node actor.NodeID, view uint64) {
	if a.views[node] != view {
		a.views[node] = view
		a.weigh(now)
	}
}

// weigh brings since up to date.
func (a *agreement) weigh(now time.Time) {
	mine := a.view()
	for node := range a.up {
		if _, known := a.facts[node]; !known || node != a.self && a.views[node] != mine {
			a.since = time.Time{}
			return
		}
	}
	if a.since.IsZero() {
		a.since = now
	}
}

// view is a hash of the members that this node sees and of what it knows of
// them. It is never zero.
func (a *agreement) view() uint64 {
	h := fnv.New64a()
	for _, node := range a.members() {
		_, _ = h.Write([]byte(node.String())) // it never fails
		_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{0}, a.facts[node]))
	}
	return h.Sum64() | 1
}

// members are the nodes that are up, in order.
func (a *agreement) members() []actor.NodeID {
	return slices.SortedFunc(maps.Keys(a.up), compareNodes)
}

// settled reports whether the views have been the same for long enough, and if
// not, when to look again; zero if only news can change the answer.
func (a *agreement) settled(now time.Time) (ok bool, again time.Time) {
	if a.since.IsZero() {
		return false, time.Time{}
	}
	due := a.since.Add(a.settle)
	return !now.Before(due), due
}
