package topology

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Draw draws a number from 0 up to, but not including, n.
type Draw func(n int) int

// Bool draws one of two.
func (draw Draw) Bool() bool { return draw(2) == 1 }

// StormNode draws a node: few names, so that they meet, in three incarnations, and
// some that are none, or somewhere else than they say. One is another incarnation of
// the node "s@s", which the storm may be about.
func (draw Draw) StormNode() overlay.Node {
	if draw(20) == 0 {
		odd := []overlay.Node{{}, {Name: "@"}, {Name: "x"}, {Name: "s@s", Boot: 9}, {Name: "q@n1", Boot: 1}}
		return odd[draw(len(odd))]
	}
	n := fmt.Sprintf("n%d", draw(6))
	return overlay.Node{Name: n + "@" + n, Boot: uint64(1 + draw(3))}
}

// event draws what may happen to a node; message draws what others may say.
func (draw Draw) event(message func() overlay.Message) overlay.Event {
	switch draw(15) {
	case 0, 1:
		return overlay.LinkUp{Node: draw.StormNode(), Accepted: draw.Bool()}
	case 2:
		return overlay.LinkDown{Node: draw.StormNode()}
	case 3:
		return overlay.DialFailed{Node: draw.StormNode(), Alive: draw.Bool()}
	case 4, 5:
		return overlay.Found{Addr: draw.StormNode().Addr(), Node: draw.StormNode()}
	case 6:
		return overlay.ProbeFailed{Addr: draw.StormNode().Addr()}
	case 7:
		return overlay.RTT{Node: draw.StormNode(), RTT: time.Millisecond}
	case 8:
		return overlay.Met{Node: draw.StormNode()}
	case 9:
		return overlay.Lost{Node: draw.StormNode()}
	case 10:
		return overlay.Join{Addrs: []string{draw.StormNode().Addr(), draw.StormNode().Name}}
	}
	return overlay.Received{From: draw.StormNode(), Message: message()}
}

// Storm tells core, of the node self, anything that can be said, in any order, and at
// last that it is to leave. It holds what core does against what a driver may be asked
// for, and core against its invariants.
func Storm[C Core](t Test, draw Draw, self overlay.Node, core C, valid func(C) error, message func() overlay.Message) {
	d := &driver[C]{t: t, self: self, core: core, valid: valid, linked: make(map[overlay.Node]bool), up: make(map[overlay.Node]bool)}
	now := Epoch()
	d.carryOut(core.Tick(now))
	for range 1 + draw(80) {
		if next := core.Deadline(); draw(5) == 0 && !next.IsZero() {
			if next.Before(now) {
				t.Fatalf("the deadline %v has passed at %v", next, now)
			}
			now = next
			d.carryOut(core.Tick(now))
			if next := core.Deadline(); !next.IsZero() && !next.After(now) {
				t.Fatalf("after the tick at %v the deadline is %v", now, next)
			}
		} else {
			ev := draw.event(message)
			d.before(ev)
			d.carryOut(core.Step(now, ev))
		}
	}
	d.carryOut(core.Step(now, overlay.LeaveRequested{}))
	if len(d.up) > 0 || !core.Deadline().IsZero() || len(core.Step(now, overlay.Met{Node: draw.StormNode()})) > 0 || len(core.Tick(now)) > 0 {
		t.Fatalf("it has left, and goes on: %v", d.up)
	}
}

// driver holds effects against what a driver may be asked for.
type driver[C Core] struct {
	t      Test
	self   overlay.Node
	core   C
	valid  func(C) error
	linked map[overlay.Node]bool
	up     map[overlay.Node]bool
}

func (d *driver[C]) before(ev overlay.Event) {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		d.linked[ev.Node] = true
	case overlay.LinkDown:
		delete(d.linked, ev.Node)
	}
}

func (d *driver[C]) carryOut(effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Dial:
			if d.linked[e.Node] || e.Node.Name == d.self.Name || e.Node.Valid() != nil {
				d.t.Fatalf("dials %v", e.Node)
			}
		case overlay.Probe:
			if e.Addr == "" || e.Addr == d.self.Addr() {
				d.t.Fatalf("probes %q", e.Addr)
			}
		case overlay.Send:
			if !d.linked[e.To] {
				d.t.Fatalf("sends to %v, to which there is no link", e.To)
			}
		case overlay.Disconnect:
			delete(d.linked, e.Node)
		case overlay.NeighborUp:
			if d.up[e.Node] || !d.linked[e.Node] {
				d.t.Fatalf("%v is up twice, or without a link", e.Node)
			}
			d.up[e.Node] = true
		case overlay.NeighborDown:
			if !d.up[e.Node] {
				d.t.Fatalf("%v is down, but was not up", e.Node)
			}
			delete(d.up, e.Node)
		default:
			d.t.Fatalf("%T is not for it to say", e)
		}
	}
	d.agree()
}

// agree holds what the core says of its neighbors against what it has let be known.
func (d *driver[C]) agree() {
	if err := d.valid(d.core); err != nil {
		d.t.Fatalf("%v", err)
	}
	neighbors := d.core.Neighbors()
	if len(neighbors) != len(d.up) {
		d.t.Fatalf("neighbors %v, announced %v", neighbors, d.up)
	}
	for _, n := range neighbors {
		if !d.up[n] || !d.linked[n] {
			d.t.Fatalf("%v is a neighbor, up %v, linked %v", n, d.up[n], d.linked[n])
		}
	}
}
