package sim

import (
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/plumtree"
)

// send sends a message over a link, as far as there is one.
func (w *world) send(i int32, to overlay.Node, p protocol, m any) {
	j := w.index(to.Name)
	if j < 0 {
		return
	}
	w.transmit(i, j, uint32(to.Boot), event{kind: message, protocol: p, message: m})
}

// transmit has e come to node j over a link of node i's. It may be lost, or come
// twice.
func (w *world) transmit(i, j int32, boot uint32, e event) {
	id, k := w.find(i, j, boot)
	if k == nil {
		return
	}
	w.counts.sent++
	s := k.side(i)
	me, other := &k.ends[s], &k.ends[1-s]
	if other.state == closed {
		// It has crashed, or closed its end: then word of that is on its way,
		// or was lost.
		wait := 2 * w.latency(i, j)
		if n := &w.nodes[j]; w.parted(i, j) || n.state == dead && n.death == Silence {
			wait = ackTimeout
		}
		w.doom(me, id, k.gen, j, wait)
		return
	}
	if w.parted(i, j) {
		w.doom(me, id, k.gen, j, ackTimeout)
		if w.blocked(i, j) {
			return
		}
	}
	e.to, e.from, e.link, e.gen = j, i, id, k.gen
	for range w.copies() {
		w.pushTo(other, i, e)
	}
}

// copies returns how often what is sent now comes.
func (w *world) copies() int {
	f := &w.cfg.Faults
	if f.Loss > 0 && w.rng.Float64() < f.Loss {
		w.counts.lost++
		return 0
	}
	if f.Duplicate > 0 && w.rng.Float64() < f.Duplicate {
		w.counts.doubled++
		return 2
	}
	return 1
}

// doom has node me find its end of a link broken after a while.
func (w *world) doom(me *end, id int32, gen uint32, peer int32, wait int64) {
	if !me.doomed {
		me.doomed = true
		w.queue.push(event{at: w.now + wait, kind: unanswered, to: me.node, from: peer, link: id, gen: gen})
	}
}

// receive takes a message that has come over a link.
func (w *world) receive(e *event) {
	from, ok := w.sender(e)
	switch {
	case !ok:
	case e.kind == flooded:
		w.flooded(e)
	case e.protocol == tree:
		w.countPayloads(e.message)
		w.tellTree(e.to, plumtree.Received{From: from, Message: e.message.(plumtree.Message)})
	default:
		w.hear(e.to, from, e.message)
	}
}

// sender returns who has sent what comes over a link. It is false if the link is gone.
func (w *world) sender(e *event) (overlay.Node, bool) {
	k := &w.links.all[e.link]
	s := k.side(e.to)
	if k.gen != e.gen || k.ends[s].state != open {
		return overlay.Node{}, false
	}
	return w.who(e.from, k.ends[1-s].boot), true
}

// hear gives a node a message.
func (w *world) hear(i int32, from overlay.Node, m any) {
	if w.cfg.Directory {
		w.countPayloads(m)
		w.hears = m
	}
	w.tell(i, overlay.Received{From: from, Message: m})
	w.hears = nil
}

// probe finds out who is at an address.
func (w *world) probe(i int32, addr string) {
	e := event{at: w.now + 1, kind: probed, to: i, boot: w.boot(i), from: w.index(addr)}
	switch {
	case e.from < 0:
		// Nobody ever is: the machine does not know the address.
		e.kind, e.message = probeFailed, addr
	case e.from != i:
		e.at = w.now + w.latency(i, e.from) + w.latency(e.from, i)
	}
	w.queue.push(e)
}

// probed is at the one who has asked.
func (w *world) probed(e *event) {
	if !w.runs(e.to, e.boot) {
		return
	}
	n := &w.nodes[e.from]
	addr := n.self.Addr()
	switch {
	case w.parted(e.to, e.from), n.state == dead && n.death == Silence:
		late := *e
		late.at, late.kind, late.message = w.now+answerTimeout, probeFailed, addr
		w.queue.push(late)
	case n.state == live:
		w.tell(e.to, overlay.Found{Addr: addr, Node: n.self})
	default:
		w.tell(e.to, overlay.ProbeFailed{Addr: addr})
	}
}

// measure finds out how far away a node is.
func (w *world) measure(i int32, who overlay.Node) {
	if j := w.index(who.Name); j >= 0 && j != i {
		rtt := w.latency(i, j) + w.latency(j, i)
		w.queue.push(event{
			at: w.now + rtt, kind: measured, to: i, boot: w.boot(i),
			from: j, gen: uint32(who.Boot), link: int32(rtt / rttUnit),
		})
	}
}

// rttUnit is the precision of a measurement.
const rttUnit = int64(time.Microsecond)

func (w *world) measured(e *event) {
	if w.runs(e.to, e.boot) && w.runs(e.from, e.gen) && !w.parted(e.to, e.from) {
		w.tell(e.to, overlay.RTT{Node: w.nodes[e.from].self, RTT: time.Duration(int64(e.link) * rttUnit)})
	}
}

func (w *world) probeFailed(e *event) {
	if w.runs(e.to, e.boot) {
		w.tell(e.to, overlay.ProbeFailed{Addr: e.message.(string)})
	}
}
