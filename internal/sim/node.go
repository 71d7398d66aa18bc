package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
)

// protocol is which core of a node a message is for.
type protocol uint8

const (
	views protocol = iota // the topology
	tree                  // plumtree
)

// node is a place, and the incarnation that runs there, if any: a topology,
// whose neighbors plumtree has. With a directory, both are parts of whole, as in a real
// node, and tree is nil.
type node struct {
	self  overlay.Node
	wires stepper         // the topology
	hpv   *hyparview.Core // which is this, if it is one
	tree  *plumtree.Core
	whole *cluster.Core
	views []uint64   // with a directory, the places whose nodes are members to it
	ups   int        // how many members it has been told of
	ties  []tie      // its ends of links
	near  []neighbor // who is one, as the topology says
	timer int64      // when its event in the queue is; 0 is none
	due   [2]int64   // when the topology and plumtree want to be called; 0 is never
	since int64      // when it has begun, or ended
	group uint8      // the side of a partition that it is on
	state state
	death Notice // how it has ended
}

// state is what is at a place.
type state uint8

const (
	absent state = iota // it has not begun yet
	live
	dead // crashed, or gone
)

// neighbor is an incarnation of a node.
type neighbor struct {
	node int32
	boot uint32
}

// placeName is the address of node i, from which its index is read again.
func placeName(i int32) string {
	digits := strconv.Itoa(int(i))
	return digits + "@" + digits
}

// index returns the node at a name or an address, -1 if there can be none.
func (w *world) index(s string) int32 {
	i := int32(0)
	for k := range len(s) {
		c := s[k]
		if c == '@' {
			break
		}
		if c < '0' || c > '9' || i > maxNodes {
			return -1
		}
		i = 10*i + int32(c-'0')
	}
	if s == "" || int(i) >= len(w.nodes) {
		return -1
	}
	return i
}

// who returns an incarnation of node i.
func (w *world) who(i int32, boot uint32) overlay.Node {
	return overlay.Node{Name: w.nodes[i].self.Name, Boot: uint64(boot)}
}

func (w *world) boot(i int32) uint32 { return uint32(w.nodes[i].self.Boot) }

// runs reports whether that incarnation is running.
func (w *world) runs(i int32, boot uint32) bool {
	return w.nodes[i].state == live && w.boot(i) == boot
}

// add makes room for one more node, at a random place of the map.
func (w *world) add() int32 {
	i := int32(len(w.nodes))
	w.nodes = append(w.nodes, node{self: overlay.Node{Name: placeName(i)}})
	w.map2d = append(w.map2d, point{w.rng.Float32(), w.rng.Float32()})
	return i
}

// start starts the next incarnation at place i.
func (w *world) start(i int32) {
	n := &w.nodes[i]
	n.self.Boot++
	n.state, n.since, n.timer, n.due = live, w.now, 0, [2]int64{}
	w.living++
	w.book.restarted(i)
	w.nobodyKnows(i)
	err := w.wire(i)
	switch {
	case err != nil:
	case w.cfg.Directory:
		n.whole, err = w.composite(i)
	default:
		n.tree, err = plumtree.New(w.plumtree(n))
	}
	if err != nil {
		w.violation("config", "node %d: %v", i, err)
		return
	}
	w.note(&event{at: w.now, kind: kinds + noteStart, to: i, boot: w.boot(i)})
	w.toViews(i, nil)
	w.reschedule(i)
}

// stop ends the node at place i: by and by, those that are linked to it learn of
// it as how says.
func (w *world) stop(i int32, how Notice) {
	n := &w.nodes[i]
	w.note(&event{at: w.now, kind: kinds + noteStop, to: i, boot: w.boot(i)})
	n.state, n.since, n.timer, n.death = dead, w.now, 0, how
	w.living--
	w.dropLinks(i, how)
	n.wires, n.hpv, n.tree, n.whole, n.ties, n.near = nil, nil, nil, nil, nil, nil
}

// leave has the node at place i leave the cluster, and end.
func (w *world) leave(i int32) {
	w.tell(i, overlay.LeaveRequested{})
	w.stop(i, Reset)
}

// tell gives the topology of a live node, or all of it, an event.
func (w *world) tell(i int32, ev overlay.Event) {
	w.toViews(i, ev)
	w.reschedule(i)
}

// toViews gives it one, if it has not had it ahead of time, and does what comes of it; nil is
// that time has passed.
func (w *world) toViews(i int32, ev overlay.Event) {
	n, s := &w.nodes[i], w.foreseen()
	if s == nil {
		s = new(step)
		s.tell(w, n, w.time(), ev)
	}
	w.carryOut(i, s.effects)
	n.due[views] = s.due
}

// tellTree gives its plumtree one.
func (w *world) tellTree(i int32, ev plumtree.Event) {
	w.toTree(i, ev)
	w.reschedule(i)
}

// toTree gives it one, as toViews does, unless that is what its topology does.
func (w *world) toTree(i int32, ev plumtree.Event) {
	n := &w.nodes[i]
	if n.tree == nil {
		return
	}
	s := w.foreseen()
	if s == nil {
		s = new(step)
		s.tellTree(w, n, w.time(), ev)
	}
	w.carryOutTree(i, s.tree)
	n.due[tree] = s.due
}

// tick has a node do what is due.
func (w *world) tick(i int32) {
	n := &w.nodes[i]
	if n.isDue(views, w.now) {
		w.toViews(i, nil)
	}
	if n.isDue(tree, w.now) {
		w.toTree(i, nil)
	}
	w.reschedule(i)
}

// isDue reports whether a core wants to be called at a time.
func (n *node) isDue(p protocol, at int64) bool { return n.due[p] != 0 && n.due[p] <= at }

// at is a core's deadline as a time of the world, 0 for none.
func (w *world) at(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(1, int64(t.Sub(w.epoch)))
}

// reschedule sees to it that a node's timer does not come later than its cores
// want. If it comes sooner, that is found out then.
func (w *world) reschedule(i int32) {
	n := &w.nodes[i]
	next := n.due[views]
	if at := n.due[tree]; at != 0 && (next == 0 || at < next) {
		next = at
	}
	if n.state != live || next == 0 || n.timer != 0 && n.timer <= next {
		return
	}
	n.timer = max(next, w.now+1)
	w.queue.push(event{at: n.timer, kind: timer, to: i, boot: w.boot(i)})
}

// carryOut does what a topology wants done.
func (w *world) carryOut(i int32, effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Send:
			w.send(i, e.To, views, e.Message)
		case overlay.Dial:
			w.dial(i, e.Node)
		case overlay.Disconnect:
			w.close(i, e.Node)
		case overlay.Probe:
			w.probe(i, e.Addr)
		case overlay.Measure:
			w.measure(i, e.Node)
		case overlay.NeighborUp:
			w.neighborUp(i, e.Node)
		case overlay.NeighborDown:
			w.neighborDown(i, e.Node)
		case overlay.Down: // as remote does: all that binds the two ends
			w.close(i, e.Node)
			if e.Member {
				w.memberDown(i, e.Node, e.Reason)
			}
		case overlay.Up:
			w.memberUp(i, e.Node)
		case overlay.Post:
			w.post(i, e.To, e.Message)
		case overlay.Deliver:
			w.delivered(i, w.heard(e))
		case overlay.Report:
			w.reported(i, e.Value)
		}
	}
}

func (w *world) carryOutTree(i int32, effects plumtree.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case plumtree.Send:
			w.send(i, e.To, tree, e.Message)
		case plumtree.Deliver:
			w.delivered(i, e)
		case plumtree.Missed:
			w.missed += int(e.Last - e.First + 1)
		}
	}
}

func (w *world) neighborUp(i int32, who overlay.Node) {
	n := &w.nodes[i]
	nb := neighbor{w.index(who.Name), uint32(who.Boot)}
	w.checkNeighborUp(i, nb)
	n.near = append(n.near, nb)
	w.toTree(i, plumtree.NeighborUp{Node: who})
}

func (w *world) neighborDown(i int32, who overlay.Node) {
	n := &w.nodes[i]
	k := slices.Index(n.near, neighbor{w.index(who.Name), uint32(who.Boot)})
	if k < 0 {
		w.violation("view", "node %d: %v is down as a neighbor, but was not up", i, who)
		return
	}
	n.near = slices.Delete(n.near, k, k+1)
	w.toTree(i, plumtree.NeighborDown{Node: who})
}
