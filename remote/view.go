package remote

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
)

// view is who the members are, for everybody to see: what the overlay says, noted by
// drive one change at a time, and put in order only when somebody looks. In a cluster
// of a thousand that starts, there are a thousand changes, and few who look.
type view struct {
	self actor.NodeID
	// age is how old what is shown of how members do may be.
	age time.Duration

	mu     sync.Mutex
	others map[overlay.Node]bool // the members
	linked map[overlay.Node]*vitals

	shown   atomic.Pointer[[]Member] // what was put in order last; nil if that has changed
	shownAt moment
}

func newView(self actor.NodeID, age time.Duration) *view {
	return &view{self: self, age: age, others: make(map[overlay.Node]bool), linked: make(map[overlay.Node]*vitals)}
}

// note changes the view. change is called with its lock.
func (v *view) note(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
	v.shown.Store(nil)
}

// Members returns all members, sorted. The slice is shared. How they do is as of at
// most age before.
func (v *view) Members() []Member {
	if all := v.shown.Load(); all != nil && time.Since(v.shownAt.load()) < v.age {
		return *all
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	nodes := slices.AppendSeq(make([]overlay.Node, 0, len(v.others)+1), maps.Keys(v.others))
	nodes = append(nodes, overlayNode(v.self))
	slices.SortFunc(nodes, overlay.Node.Compare)
	all := make([]Member, len(nodes))
	for i, node := range nodes {
		all[i] = Member{Node: nodeID(node)}
		if all[i].Node == v.self {
			all[i].Self, all[i].Linked = true, true
		} else if l := v.linked[node]; l != nil {
			all[i].Linked, all[i].Heard, all[i].RTT = true, l.heard.load(), time.Duration(l.rtt.Load())
		}
	}
	v.shown.Store(&all)
	v.shownAt.store(time.Now())
	return all
}
