package sim

import (
	"slices"

	"github.com/topos-go/topos/overlay"
)

// link is a connection of two nodes, or one that is being made. Its place is
// used again, by a link of another generation.
type link struct {
	ends [2]end // of the dialler, and of who accepts
	gen  uint32
	next int32 // in the list of free ones
}

// end is what one of the two knows of the link.
type end struct {
	node   int32
	boot   uint32
	last   int64 // when the last that was sent to it arrives
	state  endState
	doomed bool // it will be found broken
}

// endState is that of one end.
type endState uint8

const (
	nowhere endState = iota // the dial has not come yet
	dialing
	open
	closed
)

// tie is a node's end of a link: which, and to whom. A node has at most one open
// end to another.
type tie struct {
	peer int32
	link int32
}

// links are all links.
type links struct {
	all  []link
	free int32 // -1 if none
}

func (l *links) take() int32 {
	id := l.free
	if id < 0 {
		l.all = append(l.all, link{})
		return int32(len(l.all) - 1)
	}
	l.free = l.all[id].next
	l.all[id] = link{gen: l.all[id].gen}
	return id
}

// settle frees a link that nobody has an end of any more. What is under way over
// it is of an earlier generation then.
func (l *links) settle(id int32) {
	k := &l.all[id]
	if (k.ends[0].state == closed || k.ends[0].state == nowhere) && (k.ends[1].state == closed || k.ends[1].state == nowhere) {
		k.gen++
		k.next, l.free = l.free, id
	}
}

// side returns which end of the link is node i's.
func (k *link) side(i int32) int {
	if k.ends[0].node == i {
		return 0
	}
	return 1
}

// find returns the link of which node i has an open end, to that incarnation.
func (w *world) find(i, j int32, boot uint32) (int32, *link) {
	for _, t := range w.nodes[i].ties {
		if t.peer != j {
			continue
		}
		k := &w.links.all[t.link]
		s := k.side(i)
		if k.ends[s].state == open && k.ends[1-s].boot == boot {
			return t.link, k
		}
	}
	return -1, nil
}

// dial begins a link. One to a place that never was is not answered.
func (w *world) dial(i int32, who overlay.Node) {
	j := w.index(who.Name)
	if j < 0 || j == i {
		return
	}
	id := w.links.take()
	k := &w.links.all[id]
	k.ends[0] = end{node: i, boot: w.boot(i), state: dialing}
	k.ends[1] = end{node: j, boot: uint32(who.Boot)}
	w.nodes[i].ties = append(w.nodes[i].ties, tie{j, id})
	w.queue.push(event{at: w.now + handshake*w.latency(i, j), kind: dialled, to: j, from: i, link: id, gen: k.gen})
}

// How a dial has failed: the flag of its event.
const (
	refusedDial = 1 + iota
	aliveDial
	unansweredDial
)

// arrive is at the one that is dialled.
func (w *world) arrive(e *event) {
	k := &w.links.all[e.link]
	if k.gen != e.gen {
		return
	}
	i, j, n := e.from, e.to, &w.nodes[e.to]
	fail := event{at: w.now + w.latency(j, i), kind: dialFailed, to: i, from: j, link: e.link, gen: e.gen}
	switch {
	case w.parted(i, j), n.state == dead && n.death == Silence:
		fail.at, fail.flag = w.now+answerTimeout, unansweredDial
	case n.state != live, w.boot(j) != k.ends[1].boot:
		fail.flag = refusedDial
	case w.crosses(j, i):
		fail.flag = aliveDial
	default:
		k.ends[1].state = open
		n.ties = append(n.ties, tie{i, e.link})
		w.replace(j, i, e.link)
		w.pushTo(&k.ends[0], j, event{kind: linkUp, to: i, from: j, link: e.link, gen: e.gen})
		w.tell(j, overlay.LinkUp{Node: w.who(i, k.ends[0].boot), Accepted: true})
		return
	}
	w.queue.push(fail)
}

// crosses reports whether node j would rather keep a link to node i that it has
// or makes: of two dials that cross, that of the lesser node counts.
func (w *world) crosses(j, i int32) bool {
	for _, t := range w.nodes[j].ties {
		if t.peer != i {
			continue
		}
		k := &w.links.all[t.link]
		s := k.side(j)
		if k.ends[s].state == dialing && j < i || k.ends[s].state == open && k.ends[1-s].state == open && w.runs(i, k.ends[1-s].boot) {
			return true
		}
	}
	return false
}

// replace closes other open ends that node i has to j: a new link is there.
func (w *world) replace(i, j, by int32) {
	ties := w.nodes[i].ties
	for x := len(ties) - 1; x >= 0; x-- {
		t := ties[x]
		if t.peer == j && t.link != by && w.links.all[t.link].ends[w.links.all[t.link].side(i)].state == open {
			w.closeEnd(i, t.link)
			ties = w.nodes[i].ties
		}
	}
}

// dialFailed is at the dialler.
func (w *world) dialFailed(e *event) {
	k := &w.links.all[e.link]
	if k.gen != e.gen {
		return
	}
	if k.ends[0].state != dialing {
		w.links.settle(e.link)
		return
	}
	who := w.who(e.from, k.ends[1].boot)
	w.untie(e.to, e.link)
	k.ends[0].state = closed
	w.links.settle(e.link)
	w.tell(e.to, overlay.DialFailed{Node: who, Refused: e.flag == refusedDial, Alive: e.flag == aliveDial})
	if n := &w.nodes[e.from]; e.flag == refusedDial && n.state == live && n.self != who {
		w.tell(e.to, overlay.Met{Node: n.self})
	}
}

// linkedUp is at the dialler.
func (w *world) linkedUp(e *event) {
	k := &w.links.all[e.link]
	if k.gen != e.gen || k.ends[0].state != dialing {
		return
	}
	k.ends[0].state = open
	w.replace(e.to, e.from, e.link)
	w.tell(e.to, overlay.LinkUp{Node: w.who(e.from, k.ends[1].boot)})
}

// close closes node i's end of its link to who, after what was sent.
func (w *world) close(i int32, who overlay.Node) {
	j := w.index(who.Name)
	if id, k := w.find(i, j, uint32(who.Boot)); k != nil {
		w.closeEnd(i, id)
	}
}

// closeEnd closes node i's end of a link, and lets the other end know.
func (w *world) closeEnd(i, id int32) {
	w.untie(i, id)
	k := &w.links.all[id]
	s := k.side(i)
	k.ends[s].state = closed
	other := &k.ends[1-s]
	if other.state == open || other.state == dialing && s == 1 {
		if !w.parted(i, other.node) {
			w.pushTo(other, i, event{kind: linkEnd, to: other.node, from: i, link: id, gen: k.gen})
		}
	}
	w.links.settle(id)
}

// ended is at the end of a link that the other side has closed, or that is
// broken.
func (w *world) ended(e *event) {
	k := &w.links.all[e.link]
	if k.gen != e.gen {
		return
	}
	s := k.side(e.to)
	if k.ends[s].state != open {
		return
	}
	who := w.who(e.from, k.ends[1-s].boot)
	w.closeEnd(e.to, e.link)
	w.tell(e.to, overlay.LinkDown{Node: who})
}

// gaveUp is at an end whose messages were not acknowledged in time, unless they
// were after all.
func (w *world) gaveUp(e *event) {
	k := &w.links.all[e.link]
	if k.gen != e.gen {
		return
	}
	s := k.side(e.to)
	if k.ends[1-s].state == open && !w.parted(e.to, e.from) {
		k.ends[s].doomed = false
		return
	}
	w.ended(e)
}

// sever breaks a link, for both ends.
func (w *world) sever(id int32) {
	k := &w.links.all[id]
	for s := range k.ends {
		me, other := &k.ends[s], &k.ends[1-s]
		if me.state == open {
			w.pushTo(me, other.node, event{kind: linkEnd, to: me.node, from: other.node, link: id, gen: k.gen})
		}
	}
}

// dropLinks takes node i, which has ended, from its links.
func (w *world) dropLinks(i int32, how Notice) {
	for _, t := range slices.Clone(w.nodes[i].ties) {
		k := &w.links.all[t.link]
		if how == Reset {
			w.closeEnd(i, t.link)
			continue
		}
		k.ends[k.side(i)].state = closed
		w.links.settle(t.link)
	}
}

func (w *world) untie(i, id int32) {
	n := &w.nodes[i]
	for x := range n.ties {
		if n.ties[x].link == id {
			n.ties[x] = n.ties[len(n.ties)-1]
			n.ties = n.ties[:len(n.ties)-1]
			return
		}
	}
}

// pushTo has something reach an end of a link, after all that was sent to it
// before.
func (w *world) pushTo(to *end, from int32, e event) {
	e.at = max(w.now+w.latency(from, to.node), to.last)
	to.last = e.at
	w.queue.push(e)
}
