package registry

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// seat is what a node lets the others know: of itself under nodeKey, the View that
// it has under viewKey, and of each child that it has declared under childKey.
//
// It is written in the order of what is done, and all nodes see it so. Hence who
// knows a node's view knows everything that it had done before it saw that.
type seat struct {
	_ struct{} `cbor:",toarray"`
	// Of a node.
	Weight   float64
	Labels   map[string]string
	Draining bool
	// Of a child: what the node does about it, with which process and under
	// which view; how often it crashed too often there, and whether it rests.
	Phase   phase
	PID     uint64
	View    uint64
	Crashes int
	Rests   bool
	// Given counts the child's states that the node has sent to others, of which
	// the last went to the node with the hash GivenTo.
	Given, GivenTo uint64
}

// weight is about how many bytes a seat has on the wire.
func (s seat) weight() int {
	n := 40
	for k, v := range s.Labels {
		n += len(k) + len(v) + 4
	}
	return n
}

// maxSeat bounds a seat on the wire, which is sent in one message.
const maxSeat = 32 << 10

const (
	nodeKey = "node"
	viewKey = "view"
)

func childKey(id string) string { return "child/" + id }

// fact is a hash of what is known of a node.
func (s seat) fact() uint64 {
	h := fnv.New64a()
	b := binary.BigEndian.AppendUint64(nil, math.Float64bits(s.Weight))
	if s.Draining {
		b = append(b, 1)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Labels)) {
		b = append(append(append(append(b, 0), key...), 0), s.Labels[key]...)
	}
	_, _ = h.Write(b) // it never fails
	return h.Sum64()
}

// fits reports whether a node may run a child that requires labels.
func (s seat) fits(requires map[string]string) bool {
	for key, value := range requires {
		if got, ok := s.Labels[key]; !ok || got != value {
			return false
		}
	}
	return !s.Draining
}

// chart is what is known of all nodes and children: a pure value.
type chart struct {
	nodes    map[actor.NodeID]seat
	children map[string]map[actor.NodeID]seat
}

func newChart() chart {
	return chart{nodes: make(map[actor.NodeID]seat), children: make(map[string]map[actor.NodeID]seat)}
}

// follow takes in a change of the ledger.
func (c *chart) follow(change ledger.Change[seat]) {
	node := change.Owner.Value()
	if change.Key == nodeKey {
		if change.Has {
			c.nodes[node] = change.New
		} else {
			delete(c.nodes, node)
		}
		return
	}
	id, ok := strings.CutPrefix(change.Key, childKey(""))
	switch {
	case !ok:
	case change.Has && c.children[id] == nil:
		c.children[id] = map[actor.NodeID]seat{node: change.New}
	case change.Has:
		c.children[id][node] = change.New
	default:
		delete(c.children[id], node)
		if len(c.children[id]) == 0 {
			delete(c.children, id)
		}
	}
}

// candidates are the members that may run a child, in order.
func (c *chart) candidates(id string, requires map[string]string, members []actor.NodeID) []Candidate {
	var all []Candidate
	for _, node := range members {
		s, declared := c.children[id][node]
		n, known := c.nodes[node]
		if declared && known && !s.Rests && n.Weight > 0 && n.fits(requires) {
			all = append(all, Candidate{Node: node, Weight: n.Weight})
		}
	}
	return all
}

// holder is a member other than self that holds a child, the zero NodeID if
// there is none.
func (c *chart) holder(id string, members []actor.NodeID, self actor.NodeID) actor.NodeID {
	for _, node := range members {
		if node != self && c.children[id][node].Phase.held() {
			return node
		}
	}
	return actor.NodeID{}
}

// given is how many states of a child members say that they have sent to a node,
// more than have come there from each.
func (c *chart) given(id string, members []actor.NodeID, to actor.NodeID, come map[actor.NodeID]uint64) (n uint64) {
	me := hashOfNode(to)
	for _, node := range members {
		if s := c.children[id][node]; s.GivenTo == me && s.Given > come[node] {
			n += s.Given - come[node]
		}
	}
	return n
}

func hashOfNode(node actor.NodeID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(node.String())) // it never fails
	return h.Sum64() | 1
}

// crashes is how often a child has crashed too often, on all nodes together.
func (c *chart) crashes(id string) (n int) {
	for _, s := range c.children[id] {
		n += s.Crashes
	}
	return n
}

// hashOf tells one list of candidates from others.
func hashOf(candidates []Candidate) uint64 {
	h := fnv.New64a()
	for _, c := range candidates {
		_, _ = h.Write([]byte(c.Node.String()))
		_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{0}, math.Float64bits(c.Weight)))
	}
	return h.Sum64() | 1
}
