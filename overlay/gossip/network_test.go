package gossip

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
)

// carryOut does what the driver of the node at a place would.
func (w *world) carryOut(p *place, effects overlay.Effects) {
	self, core := p.node, p.core
	if w.steps++; w.steps%64 == 0 {
		if err := core.valid(); err != nil {
			w.t.Fatalf("%v: %v", self, err)
		}
	}
	for _, e := range effects {
		if w.trace != nil {
			fmt.Fprintf(w.trace, "%v %s: %s\n", w.now.Sub(epoch).Round(time.Millisecond), name(self), describe(e))
		}
		switch e := e.(type) {
		case overlay.Probe:
			w.probe(p, self, e.Addr)
		case overlay.Dial:
			if !w.live(w.place(e.Node.Addr()), e.Node) {
				w.dials[e.Node]++
			}
			w.after(w.latency(), func() { w.dial(p, self, e.Node) })
		case overlay.Send:
			w.sends++
			w.send(p, e)
		case overlay.Disconnect:
			if to := w.place(e.Node.Addr()); to != nil {
				w.unlink(p.index, to.index)
			}
		case overlay.NeighborUp:
			if p.ups[e.Node] {
				w.t.Fatalf("%v: %v is up twice", self, e.Node)
			}
			p.ups[e.Node] = true
		case overlay.NeighborDown:
			if !p.ups[e.Node] {
				w.t.Fatalf("%v: %v is down, but was not up", self, e.Node)
			}
			delete(p.ups, e.Node)
		default:
			w.t.Fatalf("%v: %T is not for it to say", self, e)
		}
	}
	if len(p.ups) != len(core.Neighbors()) {
		w.t.Fatalf("%v: neighbors %v, announced %v", self, core.Neighbors(), p.ups)
	}
	if next := core.Deadline(); !next.IsZero() && !next.Equal(p.tick) {
		p.tick = next
		w.after(max(0, next.Sub(w.now)), func() {
			if p.core == core && p.tick.Equal(next) {
				p.tick = time.Time{}
				w.carryOut(p, core.Tick(w.now))
			}
		})
	}
}

func (w *world) probe(p *place, self overlay.Node, addr string) {
	to := w.place(addr)
	if to == nil || to.core == nil {
		w.probes[addr]++
	}
	switch {
	case to != nil && to.index == p.index:
		w.after(time.Millisecond, func() { w.tell(p.index, self, overlay.Found{Addr: addr, Node: self}) })
	case to != nil && (w.cut(p.index, to.index) || to.core == nil && w.silent):
		w.after(3*time.Second, func() { w.tell(p.index, self, overlay.ProbeFailed{Addr: addr}) })
	case to == nil:
		w.after(time.Millisecond, func() { w.tell(p.index, self, overlay.ProbeFailed{Addr: addr}) })
	default:
		w.after(2*w.latency(), func() {
			if to.core == nil {
				w.tell(p.index, self, overlay.ProbeFailed{Addr: addr})
			} else {
				w.tell(p.index, self, overlay.Found{Addr: addr, Node: to.node})
			}
		})
	}
}

func (w *world) dial(from *place, self, node overlay.Node) {
	to := w.place(node.Addr())
	if !w.live(from, self) {
		return
	}
	if to != nil && to.core == nil && w.silent {
		w.after(3*time.Second, func() { w.tell(from.index, self, overlay.DialFailed{Node: node}) })
		return
	}
	if to == nil || to.core == nil || to.index == from.index {
		w.tell(from.index, self, overlay.DialFailed{Node: node, Refused: true})
		return
	}
	p, i, j := w.pair(from.index, to.index), from.index, to.index
	switch {
	case w.cut(i, j):
		w.after(3*time.Second, func() { w.tell(i, self, overlay.DialFailed{Node: node}) })
	case to.node != node:
		w.tell(i, self, overlay.DialFailed{Node: node, Refused: true})
		w.tell(i, self, overlay.Met{Node: to.node})
	case to.core.Outdated(self) != nil:
		w.tell(i, self, overlay.DialFailed{Node: node})
	case p.ends[side(j, i)] != 0 && p.dialler == j && w.rng.IntN(2) == 0:
		// The other way round already, and the dialler does not know yet.
		w.tell(i, self, overlay.DialFailed{Node: node, Alive: true})
	default:
		w.link(p, i, j)
	}
}

// link connects two places. Each learns of it a little later.
func (w *world) link(p *pair, i, j int) {
	p.link++
	p.dialler = i
	link := p.link
	for _, end := range [][2]int{{i, j}, {j, i}} {
		me, other := end[0], end[1]
		mine, theirs := w.places[me].node, w.places[other].node
		w.reach(other, me, func() {
			if link != p.link || !w.live(w.places[me], mine) {
				return
			}
			p.ends[side(me, other)] = link
			w.tell(me, mine, overlay.LinkUp{Node: theirs, Accepted: me == j})
		})
	}
}

// unlink closes place a's end of its link to b. The other end learns of it a
// little later, after what was sent to it, unless the two are partitioned.
func (w *world) unlink(a, b int) {
	p := w.pair(a, b)
	link := p.ends[side(a, b)]
	p.ends[side(a, b)] = 0
	if link == 0 {
		link = p.link
		p.link++ // if it is being made, it comes too late
	}
	node, peer := w.places[b].node, w.places[a].node
	if !w.cut(a, b) {
		w.reach(a, b, func() { w.closeEnd(b, a, link, node, peer) })
	}
}

func (w *world) closeEnd(me, other, link int, node, peer overlay.Node) {
	p := w.pair(me, other)
	if p.ends[side(me, other)] == link && link != 0 {
		p.ends[side(me, other)] = 0
		w.tell(me, node, overlay.LinkDown{Node: peer})
	}
}

// sever breaks the link between two places, for both ends.
func (w *world) sever(a, b int) {
	for _, end := range [][2]int{{a, b}, {b, a}} {
		me, other := end[0], end[1]
		node, peer := w.places[me].node, w.places[other].node
		link := w.pair(a, b).ends[side(me, other)]
		w.reach(other, me, func() { w.closeEnd(me, other, link, node, peer) })
	}
}

func (w *world) send(from *place, e overlay.Send) {
	to := w.place(e.To.Addr())
	if to == nil || to.index == from.index {
		return
	}
	i, j, self := from.index, to.index, from.node
	p := w.pair(i, j)
	link := p.ends[side(i, j)]
	if link == 0 || w.rng.IntN(1000) < w.loss {
		return
	}
	w.reach(i, j, func() {
		if p.ends[side(j, i)] == link && !w.cut(i, j) {
			w.tell(j, e.To, overlay.Received{From: self, Message: e.Message})
		}
	})
}
