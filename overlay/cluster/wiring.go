package cluster

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

// ErrFixed is returned by [Core.Propose] of a core without Config.Wire.
var ErrFixed = errors.New("cluster: the topology cannot be changed")

// Rewired reports that the topology is another one from now on.
type Rewired struct {
	From, To string
	Epoch    uint64
	Proposer overlay.Node
	// Err is why it is not, after all: this node cannot make it.
	Err error
}

// wiring is a topology at work. Two share the links of a node while one takes the
// place of the other: each sees only those that it has not closed.
type wiring struct {
	name     string
	topology Topology
	// links has those that it has been told of; those that it is closing, and that
	// the driver has been told to close, are false.
	links     map[overlay.Node]bool
	neighbors map[overlay.Node]bool
	// postponed has those to be dialled as soon as the link that is closing has.
	postponed map[overlay.Node]bool
}

func newWiring(name string, t Topology) *wiring {
	return &wiring{
		name: name, topology: t, links: make(map[overlay.Node]bool),
		neighbors: make(map[overlay.Node]bool), postponed: make(map[overlay.Node]bool),
	}
}

// Wiring returns what the topology is called now.
func (c *Core) Wiring() string { return c.wired.name }

// Propose lets all nodes have another topology, one after the other as they hear of
// it: each begins with the links that it has, and closes those of the earlier one
// only when it has others. The error is [ErrFixed] or one of [directory.Core.Propose]:
// only the lowest member may.
func (c *Core) Propose(now time.Time, wiring string) (overlay.Effects, error) {
	if c.cfg.Wire == nil {
		return nil, ErrFixed
	}
	c.now = now
	c.dues.touch(theDirectory)
	effects, err := c.dir.Propose(now, directory.Topology, wiring)
	c.fromDirectory(effects)
	return c.take(), err
}

// wirings returns those at work.
func (c *Core) wirings() []*wiring {
	if c.former == nil {
		return []*wiring{c.wired}
	}
	return []*wiring{c.former, c.wired}
}

// other returns the wiring beside w; nil if there is none.
func (c *Core) other(w *wiring) *wiring {
	if w == c.wired {
		return c.former
	}
	return c.wired
}

// toTopology lets all wirings know of ev, as far as it concerns them.
func (c *Core) toTopology(ev overlay.Event) {
	if up, ok := ev.(overlay.LinkUp); ok {
		// Before any of them is asked: one that has no use for the link must not close
		// it for the other, which may have asked for it.
		for _, w := range c.wirings() {
			w.links[up.Node] = true
			delete(w.postponed, up.Node)
		}
	}
	for _, w := range c.wirings() {
		switch ev := ev.(type) {
		case overlay.LinkDown:
			if w.postponed[ev.Node] {
				delete(w.postponed, ev.Node)
				c.emit(overlay.Dial{Node: ev.Node})
			}
			if _, told := w.links[ev.Node]; !told {
				continue // it has closed the link, which the other has used until now
			}
			delete(w.links, ev.Node)
		}
		c.tell(w, ev)
	}
}

// fromTopology passes on what w wants.
func (c *Core) fromTopology(w *wiring, effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.NeighborUp:
			c.neighborUp(w, e.Node)
		case overlay.NeighborDown:
			c.neighborDown(w, e.Node)
		case overlay.Dial:
			c.dial(w, e)
		case overlay.Disconnect:
			c.disconnect(w, e)
		case overlay.Up, overlay.Down: // the directory knows better
		default:
			c.emit(e)
		}
	}
}

func (c *Core) neighborUp(w *wiring, node overlay.Node) {
	if w.neighbors[node] {
		return
	}
	w.neighbors[node] = true
	if c.neighbors[node]++; c.neighbors[node] == 1 {
		if len(c.neighbors) == 1 {
			c.toDetector(swim.Rejoined{})
		}
		c.emit(overlay.NeighborUp{Node: node})
		c.toTree(plumtree.NeighborUp{Node: node})
		c.causalLink(node)
		c.toDetector(swim.Near{Node: node})
	}
}

func (c *Core) neighborDown(w *wiring, node overlay.Node) {
	if !w.neighbors[node] {
		return
	}
	delete(w.neighbors, node)
	if c.neighbors[node]--; c.neighbors[node] == 0 {
		delete(c.neighbors, node)
		c.emit(overlay.NeighborDown{Node: node})
		if _, linked := c.links[node]; linked {
			c.toTree(plumtree.NeighborDown{Node: node})
		} else {
			c.toTree(plumtree.NeighborLost{Node: node})
		}
		c.toCausal(pcbroadcast.LinkDown{Node: node})
		c.toDetector(swim.Far{Node: node})
	}
}

// dial gives w a link that the other wiring has, or has one made.
func (c *Core) dial(w *wiring, e overlay.Dial) {
	up, linked := c.links[e.Node]
	_, told := w.links[e.Node]
	switch {
	case !linked || told:
		c.emit(e)
	case c.held(c.other(w), e.Node):
		w.links[e.Node] = true
		c.tell(w, up)
	default:
		w.postponed[e.Node] = true
	}
}

// held reports whether w has a use for its link to node.
func (c *Core) held(w *wiring, node overlay.Node) bool { return w != nil && w.links[node] }

// disconnect closes a link for w only, if the other wiring uses it.
func (c *Core) disconnect(w *wiring, e overlay.Disconnect) {
	if c.held(c.other(w), e.Node) {
		if _, told := w.links[e.Node]; told {
			delete(w.links, e.Node)
			c.tell(w, overlay.LinkDown{Node: e.Node})
		}
		return
	}
	if _, told := w.links[e.Node]; told {
		w.links[e.Node] = false
	}
	c.emit(e)
}

// turn begins with the topology that r asks for.
func (c *Core) turn(r directory.Register) {
	if c.cfg.Wire == nil || r.Value == c.wired.name {
		return
	}
	report := Rewired{From: c.wired.name, To: r.Value, Epoch: r.Epoch, Proposer: r.Proposer}
	t, err := c.cfg.Wire(r.Value)
	if err != nil {
		report.Err = err
		c.emit(overlay.Report{Value: report})
		return
	}
	c.retire()
	c.former, c.wired, c.turned = c.wired, newWiring(r.Value, t), c.now
	c.dues.touch(theTopology)
	c.overlap = min(c.cfg.Overlap+time.Duration(c.cfg.Rand.Int64N(int64(c.cfg.Overlap)+1)), c.cfg.MaxOverlap)
	c.emit(overlay.Report{Value: report})
	w := c.wired
	c.tickTopology(w)
	for _, node := range sorted(c.links) {
		if _, told := w.links[node]; !told {
			w.links[node] = true
			c.tell(w, c.links[node])
		}
	}
	for _, node := range c.dir.Members() {
		if node != c.cfg.Self {
			c.tell(w, overlay.Met{Node: node})
		}
	}
}

func sorted[V any](nodes map[overlay.Node]V) []overlay.Node {
	return slices.SortedFunc(maps.Keys(nodes), overlay.Node.Compare)
}

// overlapped returns when the former wiring is to be looked at; the zero time if
// there is none.
func (c *Core) overlapped() time.Time {
	switch {
	case c.former == nil:
		return time.Time{}
	case c.now.Sub(c.turned) < c.overlap:
		return c.turned.Add(c.overlap)
	default:
		return c.turned.Add(c.cfg.MaxOverlap)
	}
}

// turnOver ends the former wiring when that does no harm.
func (c *Core) turnOver() {
	past := c.now.Sub(c.turned)
	if c.former == nil || past < c.overlap || past < c.cfg.MaxOverlap && len(c.wired.neighbors) == 0 {
		return
	}
	c.retire()
}

// retire ends the former wiring.
func (c *Core) retire() {
	w := c.former
	if w == nil {
		return
	}
	c.tell(w, overlay.LeaveRequested{})
	for _, node := range sorted(w.neighbors) {
		c.neighborDown(w, node)
	}
	c.former = nil
	for _, node := range sorted(w.links) {
		if w.links[node] && !c.wired.links[node] {
			c.emit(overlay.Disconnect{Node: node}) // it is nobody's any more
		}
	}
}
