package main

import (
	"fmt"

	"github.com/topos-go/topos/bench/detectors/trial"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/swim"
)

// alone is the failure detector by itself, whose members are told to it. It
// spreads its news with its own messages, all of which can be lost.
type alone struct {
	*network
	places []*loner
	byNode map[overlay.Node]*loner
}

// loner is where nodes run, one after the other.
type loner struct {
	node  overlay.Node
	core  *swim.Core
	alarm alarm
	dead  bool
	alive map[overlay.Node]bool // to it
}

var _ trial.Group = (*alone)(nil)

func newAlone(n *network) (*alone, error) {
	a := &alone{network: n, byNode: make(map[overlay.Node]*loner)}
	for i := range n.nodes {
		a.places = append(a.places, &loner{node: nodeAt(i, 0)})
		if err := a.start(i); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// nodeAt names the incarnations of a place.
func nodeAt(i int, boot uint64) overlay.Node {
	return overlay.Node{Name: fmt.Sprintf("node-%04d@10.0.%d.%d:7946", i, i/250, i%250+1), Boot: boot, Unique: "abcdefgh"}
}

// start starts the next node at place i. A directory would tell all.
func (a *alone) start(i int) error {
	old := a.places[i]
	p := &loner{node: nodeAt(i, old.node.Boot+1), alive: make(map[overlay.Node]bool)}
	var err error
	if p.core, err = swim.New(swim.Config{Self: p.node, Rand: a.fork()}); err != nil {
		return err
	}
	a.places[i], a.byNode[p.node] = p, p
	for j, other := range a.places {
		if j == i {
			continue
		}
		a.tell(other, swim.Unwatch{Node: old.node})
		a.watch(other, p)
		a.watch(p, other)
	}
	return nil
}

func (a *alone) watch(at, node *loner) {
	at.alive[node.node] = true
	a.tell(at, swim.Watch{Node: node.node})
}

func (a *alone) tell(p *loner, ev swim.Event) {
	if !p.dead {
		a.carryOut(p, p.core.Step(a.now, ev))
	}
}

func (a *alone) tick(p *loner) {
	if !p.dead {
		a.carryOut(p, p.core.Tick(a.now))
	}
}

func (a *alone) carryOut(p *loner, effects swim.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case swim.Send:
			a.send(p, e)
		default:
			note(a.network, p.node, e)
		}
		switch e := e.(type) {
		case swim.Failed:
			delete(p.alive, e.Node)
		case swim.Returned:
			p.alive[e.Node] = true
		}
	}
	p.alarm.set(a.network, p.core.Deadline(), func() { a.tick(p) })
}

func (a *alone) send(from *loner, e swim.Send) {
	a.datagram(size(e.Message), func() {
		if to := a.byNode[e.To]; to != nil {
			a.tell(to, swim.Received{From: from.node, Message: e.Message})
		}
	})
}

// note writes down what the detector at a node says of others.
func note(n *network, at overlay.Node, said any) {
	switch e := said.(type) {
	case swim.Suspected:
		if e.By == at {
			n.book.Suspected(label(e.Node), n.now)
		}
	case swim.Failed:
		n.book.Failed(label(at), label(e.Node), n.now)
	}
}

// label tells an incarnation from the others of its name.
func label(n overlay.Node) string { return fmt.Sprintf("%s#%d", n.Name, n.Boot) }

// Complete implements [trial.Group].
func (a *alone) Complete() bool {
	for _, p := range a.places {
		for _, other := range a.places {
			if p != other && !p.alive[other.node] {
				return false
			}
		}
	}
	return true
}

// Kill implements [trial.Group].
func (a *alone) Kill(i int) string {
	p := a.places[i]
	p.dead = true
	a.book.Fell(label(p.node), a.now)
	return label(p.node)
}

// Replace implements [trial.Group].
func (a *alone) Replace(i int) error { return a.start(i) }
