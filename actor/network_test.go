package actor_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// network connects systems in memory, as the remote layer does over sockets:
// a queue and a goroutine for each direction, so that signals stay in order.
type network struct {
	mu    sync.Mutex
	nodes map[string]*node
	wires map[[2]string]*wire
}

type node struct {
	*actor.System
	net  *network
	name string
}

// wire is one direction between two nodes.
type wire struct {
	mu     sync.Mutex
	more   *sync.Cond
	queue  []actor.Signal
	held   bool
	closed bool
	done   chan struct{}
}

// cluster makes two connected systems, "a" and "b", with a probe in each.
func cluster(t *testing.T, body func(t *testing.T, net *network, a, b *place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		net := &network{nodes: make(map[string]*node), wires: make(map[[2]string]*wire)}
		a, b := net.start(t, "a"), net.start(t, "b")
		net.connect("a", "b")
		net.connect("b", "a")
		t.Cleanup(net.stop)
		body(t, net, a, b)
	})
}

// place is a node with a probe on it.
type place struct {
	*node
	probe *actortest.Probe
}

func (net *network) start(t *testing.T, name string) *place {
	n := &node{net: net, name: name}
	net.nodes[name] = n
	n.System = actortest.NewSystemConfig(t, actor.Config{
		Node:   actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}},
		Router: n,
		// Code does travel in this network: the arguments are the constructor.
		Constructors: map[string]actor.Constructor{"given": func(args any) (actor.Actor, []actor.SpawnOption, error) {
			return args.(func() (actor.Actor, []actor.SpawnOption, error))()
		}},
	})
	return &place{n, actortest.NewProbe(t, n.System)}
}

// Route implements actor.Router.
func (n *node) Route(sig actor.Signal) error {
	to := sig.Name.Node
	if sig.To.NodeHandle() != (actor.NodeHandle{}) {
		to = sig.To.NodeHandle().Value().Name
	}
	n.net.mu.Lock()
	w := n.net.wires[[2]string{n.name, to}]
	n.net.mu.Unlock()
	if w == nil {
		return actor.ErrNoConnection
	}
	sig.Origin = n.NodeHandle()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, sig)
	w.more.Signal()
	return nil
}

func (net *network) connect(from, to string) {
	w := &wire{done: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	net.mu.Lock()
	net.wires[[2]string{from, to}] = w
	net.mu.Unlock()
	go w.run(net.nodes[to].System)
}

func (w *wire) run(to *actor.System) {
	defer close(w.done)
	for {
		w.mu.Lock()
		for (len(w.queue) == 0 || w.held) && !w.closed {
			w.more.Wait()
		}
		if len(w.queue) == 0 || w.held {
			w.mu.Unlock()
			return
		}
		sig := w.queue[0]
		w.queue = w.queue[1:]
		w.mu.Unlock()
		to.Deliver(sig)
	}
}

// hold keeps signals from one node to the other back until it is called again
// with false.
func (net *network) hold(from, to string, held bool) {
	w := net.wires[[2]string{from, to}]
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = held
	w.more.Signal()
}

// cut loses the connection between two nodes: what was held is lost, and both
// learn of it.
func (net *network) cut(a, b string, reason error) {
	for _, dir := range [][2]string{{a, b}, {b, a}} {
		net.mu.Lock()
		w := net.wires[dir]
		delete(net.wires, dir)
		net.mu.Unlock()
		if w != nil {
			w.close()
			net.nodes[dir[1]].NodeDown(net.nodes[dir[0]].Node(), reason)
		}
	}
}

func (w *wire) close() {
	w.mu.Lock()
	w.closed = true
	w.more.Signal()
	w.mu.Unlock()
	<-w.done
}

// stop ends all wires when the systems that use them are still running.
func (net *network) stop() {
	net.mu.Lock()
	wires := net.wires
	net.wires = nil
	net.mu.Unlock()
	for _, w := range wires {
		w.close()
	}
}
