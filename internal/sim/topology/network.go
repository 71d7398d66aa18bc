package topology

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
)

// carryOut does what the driver of the node at a place would.
func (w *World[C]) carryOut(p *Place[C], effects overlay.Effects) {
	self, core, life := p.Node, p.Core, p.life
	if w.steps++; w.steps%64 == 0 {
		if err := w.protocol.Valid(core); err != nil {
			w.t.Fatalf("%v: %v", self, err)
		}
	}
	for _, e := range effects {
		if w.Trace != nil {
			fmt.Fprintf(w.Trace, "%v %s: %s\n", w.Now.Sub(Epoch()).Round(time.Millisecond), Name(self), Describe(e, w.protocol.Say))
		}
		switch e := e.(type) {
		case overlay.Probe:
			w.probe(p, self, e.Addr)
		case overlay.Dial:
			if !w.Live(w.Place(e.Node.Addr()), e.Node) {
				w.Dials[e.Node]++
			}
			w.after(w.latency(), func() { w.dial(p, self, e.Node) })
		case overlay.Send:
			w.Sends++
			w.send(p, e)
		case overlay.Disconnect:
			if to := w.Place(e.Node.Addr()); to != nil {
				w.unlink(p.Index, to.Index)
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
		w.after(max(0, next.Sub(w.Now)), func() {
			if p.life == life && p.runs && p.tick.Equal(next) {
				p.tick = time.Time{}
				w.carryOut(p, core.Tick(w.Now))
			}
		})
	}
}

func (w *World[C]) probe(p *Place[C], self overlay.Node, addr string) {
	to := w.Place(addr)
	if to == nil || !to.runs {
		w.Probes[addr]++
	}
	switch {
	case to != nil && to.Index == p.Index:
		w.after(time.Millisecond, func() { w.Tell(p.Index, self, overlay.Found{Addr: addr, Node: self}) })
	case to != nil && (w.cut(p.Index, to.Index) || !to.runs && w.Silent):
		w.after(3*time.Second, func() { w.Tell(p.Index, self, overlay.ProbeFailed{Addr: addr}) })
	case to == nil:
		w.after(time.Millisecond, func() { w.Tell(p.Index, self, overlay.ProbeFailed{Addr: addr}) })
	default:
		w.after(2*w.latency(), func() {
			if !to.runs {
				w.Tell(p.Index, self, overlay.ProbeFailed{Addr: addr})
			} else {
				w.Tell(p.Index, self, overlay.Found{Addr: addr, Node: to.Node})
			}
		})
	}
}

func (w *World[C]) dial(from *Place[C], self, node overlay.Node) {
	to := w.Place(node.Addr())
	if !w.Live(from, self) {
		return
	}
	if to != nil && !to.runs && w.Silent {
		w.after(3*time.Second, func() { w.Tell(from.Index, self, overlay.DialFailed{Node: node}) })
		return
	}
	if to == nil || !to.runs || to.Index == from.Index {
		w.Tell(from.Index, self, overlay.DialFailed{Node: node, Refused: true})
		return
	}
	p, i, j := w.pair(from.Index, to.Index), from.Index, to.Index
	switch {
	case w.cut(i, j):
		w.after(3*time.Second, func() { w.Tell(i, self, overlay.DialFailed{Node: node}) })
	case to.Node != node:
		w.Tell(i, self, overlay.DialFailed{Node: node, Refused: true})
		w.Tell(i, self, overlay.Met{Node: to.Node})
	case to.Core.Outdated(self) != nil:
		w.Tell(i, self, overlay.DialFailed{Node: node})
	case p.ends[side(j, i)] != 0 && p.dialler == j && w.Rng.IntN(2) == 0:
		// The other way round already, and the dialler does not know yet.
		w.Tell(i, self, overlay.DialFailed{Node: node, Alive: true})
	default:
		w.link(p, i, j)
	}
}

// link connects two places. Each learns of it a little later.
func (w *World[C]) link(p *pair, i, j int) {
	p.link++
	p.dialler = i
	link := p.link
	for _, end := range [][2]int{{i, j}, {j, i}} {
		me, other := end[0], end[1]
		mine, theirs := w.Places[me].Node, w.Places[other].Node
		w.reach(other, me, func() {
			if link != p.link || !w.Live(w.Places[me], mine) {
				return
			}
			p.ends[side(me, other)] = link
			w.Tell(me, mine, overlay.LinkUp{Node: theirs, Accepted: me == j})
		})
	}
}

// unlink closes place a's end of its link to b. The other end learns of it a
// little later, after what was sent to it, unless the two are partitioned.
func (w *World[C]) unlink(a, b int) {
	p := w.pair(a, b)
	link := p.ends[side(a, b)]
	p.ends[side(a, b)] = 0
	if link == 0 {
		link = p.link
		p.link++ // if it is being made, it comes too late
	}
	node, peer := w.Places[b].Node, w.Places[a].Node
	if !w.cut(a, b) {
		w.reach(a, b, func() { w.closeEnd(b, a, link, node, peer) })
	}
}

func (w *World[C]) closeEnd(me, other, link int, node, peer overlay.Node) {
	p := w.pair(me, other)
	if p.ends[side(me, other)] == link && link != 0 {
		p.ends[side(me, other)] = 0
		w.Tell(me, node, overlay.LinkDown{Node: peer})
	}
}

// Sever breaks the link between two places, for both ends.
func (w *World[C]) Sever(a, b int) {
	for _, end := range [][2]int{{a, b}, {b, a}} {
		me, other := end[0], end[1]
		node, peer := w.Places[me].Node, w.Places[other].Node
		link := w.pair(a, b).ends[side(me, other)]
		w.reach(other, me, func() { w.closeEnd(me, other, link, node, peer) })
	}
}

func (w *World[C]) send(from *Place[C], e overlay.Send) {
	to := w.Place(e.To.Addr())
	if to == nil || to.Index == from.Index {
		return
	}
	i, j, self := from.Index, to.Index, from.Node
	p := w.pair(i, j)
	link := p.ends[side(i, j)]
	if link == 0 || w.Rng.IntN(1000) < w.Loss {
		return
	}
	w.reach(i, j, func() {
		if p.ends[side(j, i)] == link && !w.cut(i, j) {
			w.Tell(j, e.To, overlay.Received{From: self, Message: e.Message})
		}
	})
}
