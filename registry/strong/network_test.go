package strong

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
	"unique"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a fake remote layer: payloads of a pair arrive in order, late, and
// are lost when one node has given the other up, which takes a while.
type network struct {
	detect time.Duration // until a node that is silent counts as down
	late   time.Duration // the most that a payload takes

	mu     sync.Mutex
	rand   *rand.Rand
	ends   map[string]*end // by name, the newest
	parted map[[2]string]bool
	drop   func(from, to actor.NodeID, f frame) bool
	pipes  sync.WaitGroup
	closed chan struct{}
}

func newNetwork(seed uint64) *network {
	return &network{
		detect: 300 * time.Millisecond, late: 4 * time.Millisecond,
		rand: rand.New(rand.NewPCG(seed, 7)),
		ends: make(map[string]*end), parted: make(map[[2]string]bool), closed: make(chan struct{}),
	}
}

// end is one node's end.
type end struct {
	net  *network
	id   actor.NodeID
	dead bool

	// Under net.mu.
	handlers map[string]func(actor.NodeID, []byte)
	watchers map[int]func(actor.NodeID, bool)
	watches  int
	sees     map[actor.NodeID]*pipe
	events   []func()
	wake     chan struct{}
}

// pipe is what one end sends to another one.
type pipe struct {
	from, to *end
	queue    [][]byte
	wake     chan struct{}
	broken   chan struct{}
}

var errDown = errors.New("test: node is down")

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// join starts a node.
func (n *network) join(name string, boot uint64) *end {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := &end{
		net: n, id: actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: boot, Unique: fmt.Sprintf("u%d", boot)}},
		handlers: make(map[string]func(actor.NodeID, []byte)), watchers: make(map[int]func(actor.NodeID, bool)),
		sees: make(map[actor.NodeID]*pipe), wake: make(chan struct{}, 1),
	}
	if old := n.ends[name]; old != nil {
		n.buryLocked(old)
	}
	n.ends[name] = e
	n.pipes.Go(e.tell)
	for _, other := range n.ends {
		n.meetLocked(e, other)
	}
	return e
}

// meetLocked lets two ends see each other, if they can.
func (n *network) meetLocked(a, b *end) {
	if a == b || a.dead || b.dead || n.parted[pair(a.id.Name, b.id.Name)] || a.sees[b.id] != nil {
		return
	}
	for _, p := range []*pipe{
		{from: a, to: b, wake: make(chan struct{}, 1), broken: make(chan struct{})},
		{from: b, to: a, wake: make(chan struct{}, 1), broken: make(chan struct{})},
	} {
		p.from.sees[p.to.id] = p
		p.from.notifyLocked(p.to.id, true)
		n.pipes.Go(p.run)
	}
}

// loseLocked lets two ends give each other up.
func (n *network) loseLocked(a, b *end) {
	for _, e := range [][2]*end{{a, b}, {b, a}} {
		if p := e[0].sees[e[1].id]; p != nil {
			delete(e[0].sees, e[1].id)
			close(p.broken)
			e[0].notifyLocked(e[1].id, false)
		}
	}
}

func (n *network) buryLocked(e *end) {
	e.dead = true
	for _, other := range n.ends {
		if other != e {
			n.loseLocked(e, other)
		}
	}
}

func (e *end) notifyLocked(node actor.NodeID, up bool) {
	for i := range e.watches {
		if f := e.watchers[i]; f != nil {
			e.events = append(e.events, func() { f(node, up) })
		}
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// tell calls the watchers.
func (e *end) tell() {
	for {
		e.net.mu.Lock()
		events := e.events
		e.events = nil
		e.net.mu.Unlock()
		for _, f := range events {
			f()
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-e.wake:
		case <-e.net.closed:
			return
		}
	}
}

// run delivers payloads.
func (p *pipe) run() {
	n := p.from.net
	for {
		n.mu.Lock()
		queue := p.queue
		p.queue = nil
		delay := time.Duration(n.rand.Int64N(int64(n.late)))
		n.mu.Unlock()
		if len(queue) > 0 {
			select {
			case <-time.After(delay):
			case <-p.broken:
				return
			}
		}
		for _, payload := range queue {
			for {
				n.mu.Lock()
				parted := n.parted[pair(p.from.id.Name, p.to.id.Name)]
				handle := p.to.handlers[topic]
				dead := p.to.dead || p.from.dead
				n.mu.Unlock()
				if dead {
					return
				}
				if !parted {
					if handle != nil {
						handle(p.from.id, payload)
					}
					break
				}
				select { // it is on its way until the node is given up
				case <-time.After(10 * time.Millisecond):
				case <-p.broken:
					return
				case <-n.closed:
					return
				}
			}
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-p.wake:
		case <-p.broken:
			return
		case <-n.closed:
			return
		}
	}
}

// part keeps two nodes from each other; they notice after a while.
func (n *network) part(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parted[pair(a, b)] = true
	n.pipes.Go(func() {
		select {
		case <-time.After(n.detect):
		case <-n.closed:
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		x, y := n.ends[a], n.ends[b]
		if n.parted[pair(a, b)] && x != nil && y != nil {
			n.loseLocked(x, y)
		}
	})
}

// partition parts the nodes of group from all others.
func (n *network) partition(group ...string) {
	in := make(map[string]bool)
	for _, name := range group {
		in[name] = true
	}
	n.mu.Lock()
	var all []string
	for name := range n.ends {
		all = append(all, name)
	}
	n.mu.Unlock()
	for _, a := range group {
		for _, b := range all {
			if !in[b] {
				n.part(a, b)
			}
		}
	}
}

// heal ends all partitions.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.parted)
	for _, a := range n.ends {
		for _, b := range n.ends {
			n.meetLocked(a, b)
		}
	}
}

// kill ends a node; the others see it at once, as when a program is killed.
func (n *network) kill(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buryLocked(n.ends[name])
}

func (n *network) close() {
	close(n.closed)
	n.mu.Lock()
	for _, e := range n.ends {
		n.buryLocked(e)
	}
	n.mu.Unlock()
	n.pipes.Wait()
}

func (e *end) Self() actor.NodeID { return e.id }

func (e *end) Members() []actor.NodeID {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	nodes := []actor.NodeID{e.id}
	for node := range e.sees {
		nodes = append(nodes, node)
	}
	return nodes
}

func (e *end) SendControl(to actor.NodeID, _ string, payload []byte) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	p := e.sees[to]
	if p == nil {
		return errDown
	}
	if f, err := decodeFrame(payload); err == nil && e.net.drop != nil && e.net.drop(e.id, to, f) {
		return nil
	}
	p.queue = append(p.queue, payload)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

func (e *end) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.handlers[topic] = f
}

func (e *end) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	i := e.watches
	e.watches++
	e.watchers[i] = f
	for node := range e.sees {
		e.events = append(e.events, func() { f(node, true) })
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return func() {
		e.net.mu.Lock()
		defer e.net.mu.Unlock()
		delete(e.watchers, i)
	}
}

// world is a number of registries on a network.
type world struct {
	t     *testing.T
	net   *network
	base  Config
	names []string
	dirs  []string
	boots []uint64
	regs  []*Registry
}

// newWorld makes n nodes; the first voters of them vote. Nothing is started yet.
func newWorld(t *testing.T, seed uint64, n, voters int, base Config) *world {
	w := &world{t: t, net: newNetwork(seed), base: base}
	for i := range n {
		w.names = append(w.names, fmt.Sprintf("n%d@n%d:1", i, i))
		w.dirs = append(w.dirs, "")
		w.boots = append(w.boots, 100)
		w.regs = append(w.regs, nil)
	}
	w.base.Voters = w.names[:voters]
	if w.base.Election == 0 {
		w.base.Election = 200 * time.Millisecond
	}
	if w.base.TTL == 0 {
		w.base.TTL = 2 * time.Second
	}
	return w
}

// onDisk gives every node a folder.
func (w *world) onDisk() *world {
	for i := range w.dirs {
		w.dirs[i] = w.t.TempDir()
	}
	return w
}

// start starts a node, or starts it again.
func (w *world) start(i int, change ...func(*Config)) *Registry {
	w.t.Helper()
	cfg := w.base
	first := w.boots[i] == 100
	w.boots[i]++
	cfg.Cluster = w.net.join(w.names[i], w.boots[i])
	cfg.Dir = w.dirs[i]
	cfg.Bootstrap = first
	cfg.Logger = slog.New(slog.NewTextHandler(w.t.Output(), nil)).With("node", w.names[i])
	for _, f := range change {
		f(&cfg)
	}
	r, err := New(cfg)
	if err == nil {
		err = r.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.regs[i] = r
	return r
}

func (w *world) startAll() *world {
	for i := range w.regs {
		w.start(i)
	}
	return w
}

// kill ends a node without a word.
func (w *world) kill(i int) {
	w.t.Helper()
	w.net.kill(w.names[i])
	w.stop(i)
}

// stop closes a node.
func (w *world) stop(i int) {
	w.t.Helper()
	if w.regs[i] == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.regs[i].Close(ctx); err != nil {
		w.t.Errorf("closing %s: %v", w.names[i], err)
	}
	w.regs[i] = nil
}

func (w *world) close() {
	for i := range w.regs {
		w.stop(i)
	}
	w.net.close()
}

// process is some process of a node.
func (w *world) process(i int, id uint64) actor.PID {
	return actor.MakePID(unique.Make(actor.NodeID{Name: w.names[i], Incarnation: actor.Incarnation{Boot: 1, Unique: "p"}}), id<<28|id)
}

func wait(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// pass lets time pass.
func pass(d time.Duration) { <-time.After(d) }
