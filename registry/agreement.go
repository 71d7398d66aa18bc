package registry

import (
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// agreement decides when the nodes of one side see the same members, which is
// when they may act on it: the pure core of placement.
//
// Invariants:
//  1. views holds what each member last said its view was.
//  2. since is when all members' views last became the same as this node's;
//     zero while they are not.
type agreement struct {
	self   actor.NodeID
	settle time.Duration
	up     map[actor.NodeID]bool
	views  map[actor.NodeID]uint64
	since  time.Time
}

func newAgreement(self actor.NodeID, settle time.Duration) *agreement {
	return &agreement{
		self:   self,
		settle: settle,
		up:     map[actor.NodeID]bool{self: true},
		views:  make(map[actor.NodeID]uint64),
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
	}
	a.since = time.Time{}
	a.weigh(now)
	return true
}

// heard notes what node says its view is. It reports whether that is new; then
// node may not know this node's view either.
func (a *agreement) heard(now time.Time, node actor.NodeID, view uint64) bool {
	if a.views[node] == view {
		return false
	}
	a.views[node] = view
	a.weigh(now)
	return true
}

// weigh brings since up to date.
func (a *agreement) weigh(now time.Time) {
	mine := a.view()
	for node := range a.up {
		if node != a.self && a.views[node] != mine {
			a.since = time.Time{}
			return
		}
	}
	if a.since.IsZero() {
		a.since = now
	}
}

// view is a hash of the members that this node sees. It is never zero.
func (a *agreement) view() uint64 {
	h := fnv.New64a()
	for _, node := range a.members() {
		h.Write([]byte(node.String()))
		h.Write([]byte{0})
	}
	return h.Sum64() | 1
}

// members are the nodes that are up, in order.
func (a *agreement) members() []actor.NodeID {
	return slices.SortedFunc(maps.Keys(a.up), func(m, n actor.NodeID) int {
		switch {
		case m.Less(n):
			return -1
		case n.Less(m):
			return 1
		}
		return 0
	})
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
