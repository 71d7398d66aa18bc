package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/topos-go/topos/bench/detectors/trial"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/swim"
	"github.com/topos-go/topos/remote/dialect"
)

// wired is nodes as they are when live, with a topology, a directory and
// broadcasts. The failure detector's messages can be lost; links are streams, and
// lose nothing. That of a silent node stays as it is until somebody closes it.
type wired struct {
	*network
	places []*member
	byNode map[overlay.Node]*member
	byAddr map[string]*member
	links  map[pair]bool
}

// member is where nodes run, one after the other.
type member struct {
	node  overlay.Node
	core  *cluster.Core
	alarm alarm
	dead  bool
	last  map[overlay.Node]time.Time // when the last message on a link arrives
}

// pair is the ends of a link, the lower one first.
type pair [2]overlay.Node

func ends(a, b overlay.Node) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

var _ trial.Group = (*wired)(nil)

func newWired(n *network) (*wired, error) {
	w := &wired{
		network: n, byNode: make(map[overlay.Node]*member), byAddr: make(map[string]*member), links: make(map[pair]bool),
	}
	for i := range n.nodes {
		w.places = append(w.places, &member{node: nodeAt(i, 0)})
		if err := w.start(i); err != nil {
			return nil, err
		}
		w.Wait(100 * time.Millisecond)
	}
	return w, nil
}

// start starts the next node at place i, which joins by the first two places.
func (w *wired) start(i int) error {
	p := &member{node: nodeAt(i, w.places[i].node.Boot+1), last: make(map[overlay.Node]time.Time)}
	seeds := []string{nodeAt(0, 0).Addr(), nodeAt(1, 0).Addr()}
	topology, err := hyparview.New(hyparview.Config{Self: p.node, Seeds: seeds, Rand: w.fork()})
	if err != nil {
		return err
	}
	p.core, err = cluster.New(cluster.Config{
		Self: p.node, Topology: topology, Wiring: "hyparview", Rand: w.fork(),
		Encode: func(v any) ([]byte, error) { return dialect.Append(nil, v) },
		Decode: func(b []byte) (any, error) { return dialect.Parse(b) },
	})
	if err != nil {
		return err
	}
	w.places[i], w.byNode[p.node], w.byAddr[p.node.Addr()] = p, p, p
	w.tick(p)
	return nil
}

func (w *wired) tick(p *member) {
	if !p.dead {
		w.carryOut(p, p.core.Tick(w.now))
	}
}

func (w *wired) tell(p *member, ev overlay.Event) {
	if !p.dead {
		w.carryOut(p, p.core.Step(w.now, ev))
	}
}

func (w *wired) carryOut(p *member, effects overlay.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Report:
			note(w.network, p.node, e.Value)
		case overlay.Down:
			if e.Member {
				w.book.Failed(label(p.node), label(e.Node), w.now)
			}
		case overlay.Send:
			if w.links[ends(p.node, e.To)] {
				w.stream(p, e.To, e.Message)
			}
		case overlay.Post:
			w.post(p, e)
		case overlay.Probe:
			w.at(w.now.Add(w.latency()+w.latency()), func() { w.probe(p, e.Addr) })
		case overlay.Dial:
			w.at(w.now.Add(w.latency()+w.latency()), func() { w.dial(p, e.Node) })
		case overlay.Disconnect:
			w.at(w.now.Add(w.most), func() { w.sever(p.node, e.Node) }) // after what was sent
		}
	}
	p.alarm.set(w.network, p.core.Deadline(), func() { w.tick(p) })
}

// post sends what need not arrive: the failure detector's messages.
func (w *wired) post(p *member, e overlay.Post) {
	if m, ok := e.Message.(swim.Message); ok {
		w.datagram(size(m), w.arrival(p, e.To, m))
		return
	}
	w.stream(p, e.To, e.Message)
}

// stream sends what arrives, in order.
func (w *wired) stream(p *member, to overlay.Node, m overlay.Message) {
	w.book.Sent(size(m))
	at := w.now.Add(w.latency())
	if last := p.last[to]; at.Before(last) {
		at = last
	}
	p.last[to] = at
	w.network.at(at, w.arrival(p, to, m))
}

func (w *wired) arrival(p *member, to overlay.Node, m overlay.Message) func() {
	return func() {
		if t := w.byNode[to]; t != nil {
			w.tell(t, overlay.Received{From: p.node, Message: m})
		}
	}
}

// size is what a message takes in the dialect of live nodes, less its frame.
func size(m overlay.Message) int {
	b, err := dialect.Append(nil, m)
	if err != nil {
		panic(fmt.Sprintf("%T: %v", m, err)) // live nodes could not say it either
	}
	return len(b)
}

// answerTimeout is how long who dials waits for one that does not answer, as live.
const answerTimeout = 3 * time.Second

func (w *wired) probe(p *member, addr string) {
	if t := w.byAddr[addr]; t != nil && !t.dead {
		w.tell(p, overlay.Found{Addr: addr, Node: t.node})
		return
	}
	w.at(w.now.Add(answerTimeout), func() { w.tell(p, overlay.ProbeFailed{Addr: addr}) })
}

func (w *wired) dial(p *member, node overlay.Node) {
	t := w.byNode[node]
	switch {
	case p.dead:
	case t == nil || t.dead:
		w.at(w.now.Add(answerTimeout), func() { w.tell(p, overlay.DialFailed{Node: node}) })
	default:
		w.links[ends(p.node, node)] = true
		w.tell(p, overlay.LinkUp{Node: node})
		w.tell(t, overlay.LinkUp{Node: p.node, Accepted: true})
	}
}

// sever closes a link. Both ends learn of it.
func (w *wired) sever(a, b overlay.Node) {
	if !w.links[ends(a, b)] {
		return
	}
	delete(w.links, ends(a, b))
	w.at(w.now.Add(w.latency()), func() {
		w.tell(w.byNode[a], overlay.LinkDown{Node: b})
		w.tell(w.byNode[b], overlay.LinkDown{Node: a})
	})
}

// Complete implements [trial.Group].
func (w *wired) Complete() bool {
	var all []overlay.Node
	for _, p := range w.places {
		all = append(all, p.node)
	}
	slices.SortFunc(all, overlay.Node.Compare)
	for _, p := range w.places {
		if !slices.Equal(p.core.Members(), all) {
			return false
		}
	}
	return true
}

// Kill implements [trial.Group].
func (w *wired) Kill(i int) string {
	p := w.places[i]
	p.dead = true
	w.book.Fell(label(p.node), w.now)
	return label(p.node)
}

// Replace implements [trial.Group].
func (w *wired) Replace(i int) error { return w.start(i) }
