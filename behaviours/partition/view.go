package partition

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// loss is what is known of why a node is gone.
type loss uint8

const (
	silent  loss = iota // nothing is heard of it: it may be behind a partition
	crashed             // its machine says that it does not run, or a newer one does
	left                // it said so
)

// view is what one node knows of the others: who is there and who may be
// behind a partition. It is pure.
//
// Invariants:
//  1. No node is in both here and lost, and self is in neither.
//  2. Of one name, at most one incarnation is in lost, and none if a newer one
//     is here.
//  3. parted says whether at least minLost nodes are lost.
type view struct {
	self    actor.NodeID
	minLost int
	here    map[actor.NodeID]bool
	lost    map[actor.NodeID]time.Time // since when

	parted   bool
	resolved Healed // of the partition that goes on
}

func newView(self actor.NodeID, minLost int) *view {
	return &view{self: self, minLost: minLost, here: make(map[actor.NodeID]bool), lost: make(map[actor.NodeID]time.Time)}
}

// up: node is a member.
func (v *view) up(node actor.NodeID) []Event {
	if node == v.self || v.here[node] {
		return nil
	}
	for old := range v.lost {
		switch {
		case old == node: // the same incarnation: it was there all the time
			v.resolve(old, &v.resolved.Returned)
		case old.Name == node.Name:
			v.resolve(old, &v.resolved.Restarted)
		}
	}
	v.here[node] = true
	return v.weigh()
}

// down: node is none any more.
func (v *view) down(now time.Time, node actor.NodeID, why loss) []Event {
	delete(v.here, node)
	_, known := v.lost[node]
	switch {
	case node == v.self:
	case why == silent:
		// A newer incarnation is proof that this one does not run.
		if !known && !v.newerHere(node) {
			for old := range v.lost {
				if old.Name == node.Name {
					v.resolve(old, &v.resolved.Restarted)
				}
			}
			v.lost[node] = now
			v.resolved.Returned = slices.DeleteFunc(v.resolved.Returned, func(n actor.NodeID) bool { return n == node })
			return v.changed()
		}
	case known && why == left:
		v.resolve(node, &v.resolved.Left)
	case known:
		v.resolve(node, &v.resolved.Crashed)
	}
	return v.weigh()
}

// forget: the node called name will not come back.
func (v *view) forget(name string) []Event {
	for node := range v.lost {
		if node.Name == name {
			v.resolve(node, &v.resolved.Crashed)
		}
	}
	return v.weigh()
}

// expire forgets those who were lost before.
func (v *view) expire(before time.Time) (gone []actor.NodeID, events []Event) {
	for node, since := range v.lost {
		if since.Before(before) {
			gone = append(gone, node)
			v.resolve(node, &v.resolved.Crashed)
		}
	}
	sortNodes(gone)
	return gone, v.weigh()
}

func (v *view) resolve(node actor.NodeID, as *[]actor.NodeID) {
	delete(v.lost, node)
	if v.parted {
		*as = append(*as, node)
	}
}

func (v *view) newerHere(node actor.NodeID) bool {
	for other := range v.here {
		if other.Name == node.Name && other.Incarnation.Newer(node.Incarnation) {
			return true
		}
	}
	return false
}

// weigh says what has changed when nobody new is lost.
func (v *view) weigh() []Event {
	if v.parted && len(v.lost) < v.minLost {
		return v.changed()
	}
	return nil
}

// changed brings parted up to date and returns what there is to say.
func (v *view) changed() []Event {
	switch {
	case len(v.lost) >= v.minLost:
		v.parted = true
		return []Event{Detected{Here: v.sideHere(), Lost: v.sideLost()}}
	case v.parted:
		v.parted = false
		healed := v.resolved
		v.resolved = Healed{}
		for _, nodes := range [][]actor.NodeID{healed.Returned, healed.Restarted, healed.Crashed, healed.Left} {
			sortNodes(nodes)
		}
		return []Event{healed}
	}
	return nil
}

// sideHere are the nodes of this side, sorted.
func (v *view) sideHere() []actor.NodeID {
	return sortNodes(append(slices.Collect(maps.Keys(v.here)), v.self))
}

// sideLost are the nodes that may be on another side, sorted.
func (v *view) sideLost() []actor.NodeID { return sortNodes(slices.Collect(maps.Keys(v.lost))) }

func sortNodes(nodes []actor.NodeID) []actor.NodeID {
	slices.SortFunc(nodes, func(a, b actor.NodeID) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Incarnation.Boot, b.Incarnation.Boot),
			cmp.Compare(a.Incarnation.Unique, b.Incarnation.Unique))
	})
	return nodes
}
