// Package hub is a cluster's control plane in memory, for tests: it keeps the
// promises of the remote layer's and breaks what those leave open.
//
//	End a ──SendControl──▶ inbox of b, after latency ──▶ handler of b
//	Split, Kill           ──▶ what is on its way is lost; down, after Detect
//
// For each receiver one goroutine handles everything, in the order due: for one
// sender that is up, payloads in the order sent, down.
package hub

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
)

// Hub connects ends. Make one with [New] and Close it. Its methods are safe for
// concurrent use.
type Hub struct {
	mu      sync.Mutex
	ends    map[actor.NodeID]*End
	rand    *rand.Rand
	latency time.Duration
	jitter  time.Duration
	detect  time.Duration
	loss    float64
	lose    func(from, to actor.NodeID, topic string) bool
	side    func(actor.NodeID) int
	near    func(a, b actor.NodeID) bool
	far     time.Duration
	tardy   time.Duration
	sent    int
	bytes   int
}

// End is one node's end. It is what the registry calls a Cluster.
type End struct {
	hub  *Hub
	self actor.NodeID
	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	// The hub's lock guards the rest.
	dead     bool
	hears    map[string]func(actor.NodeID, []byte)
	spoken   map[actor.NodeID]bool // to whom payloads were sent since Spoken
	handlers map[string]func(actor.NodeID, []byte)
	watchers map[int]func(actor.NodeID, bool)
	watches  int
	seen     map[actor.NodeID]bool // who is up, as watchers were told
	meant    map[actor.NodeID]bool // who is up when all that waits is handled
	inbox    []item                // by due, then in order
	last     map[actor.NodeID]time.Time
}

// item is one of a payload, to one node or to all, an up or down, and a new watcher.
type item struct {
	toAll   bool
	due     time.Time
	from    actor.NodeID
	topic   string
	payload []byte
	up      bool
	watcher int
}

// New returns a hub without latency or loss, whose randomness seed determines.
func New(seed uint64) *Hub {
	return &Hub{ends: make(map[actor.NodeID]*End), rand: rand.New(rand.NewPCG(seed, 1))}
}

// Latency is how long payloads and news take from now on, and up to jitter
// more; Detect is how long it takes to notice that a node is lost.
func (h *Hub) Latency(latency, jitter, detect time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latency, h.jitter, h.detect = latency, jitter, detect
}

// Loss is how likely it is that a payload is lost.
func (h *Hub) Loss(p float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loss = p
}

// Lose loses what f says, besides. A nil f loses nothing.
func (h *Hub) Lose(f func(from, to actor.NodeID, topic string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lose = f
}

// Traffic returns how many payloads were sent since it was last called, and how
// many bytes.
func (h *Hub) Traffic() (payloads, bytes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	payloads, bytes = h.sent, h.bytes
	h.sent, h.bytes = 0, 0
	return payloads, bytes
}

// Join adds a node, which is up for everybody on its side.
func (h *Hub) Join(id actor.NodeID) *End {
	e := &End{
		hub: h, self: id,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		handlers: make(map[string]func(actor.NodeID, []byte)),
		hears:    make(map[string]func(actor.NodeID, []byte)),
		spoken:   make(map[actor.NodeID]bool),
		watchers: make(map[int]func(actor.NodeID, bool)),
		seen:     make(map[actor.NodeID]bool),
		meant:    make(map[actor.NodeID]bool),
		last:     make(map[actor.NodeID]time.Time),
	}
	h.mu.Lock()
	h.ends[id] = e
	h.mu.Unlock()
	go e.run()
	return e
}

// Open lets everybody know of the node, when its handlers are there.
func (e *End) Open() {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.news()
}

// Kill ends a node as SIGKILL does: nothing more comes from it.
func (h *Hub) Kill(id actor.NodeID) {
	h.mu.Lock()
	e := h.ends[id]
	if e == nil || e.dead {
		h.mu.Unlock()
		return
	}
	e.dead = true
	delete(h.ends, id)
	h.forget(func(from, to actor.NodeID) bool { return from == id })
	h.news()
	h.mu.Unlock()
	close(e.stop)
	<-e.done
}

// Split parts the nodes by what side says of them; nil heals.
func (h *Hub) Split(side func(actor.NodeID) int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.side = side
	h.forget(func(from, to actor.NodeID) bool { return !h.joined(from, to) })
	h.news()
}

// Close ends all nodes.
func (h *Hub) Close() {
	h.mu.Lock()
	var ids []actor.NodeID
	for id := range h.ends {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	for _, id := range ids {
		h.Kill(id)
	}
}

func (h *Hub) joined(a, b actor.NodeID) bool { return h.side == nil || h.side(a) == h.side(b) }

// forget loses payloads that are on their way.
func (h *Hub) forget(lost func(from, to actor.NodeID) bool) {
	for id, e := range h.ends {
		e.inbox = slices.DeleteFunc(e.inbox, func(i item) bool { return i.topic != "" && lost(i.from, id) })
	}
}

// news puts into the inboxes what has changed about who is up.
func (h *Hub) news() {
	for id, e := range h.ends {
		for other, o := range h.ends {
			if other != id && h.joined(id, other) && !e.meant[other] && len(o.handlers) > 0 {
				e.meant[other] = true
				e.post(item{from: other, up: true}, h.latency+h.tardy)
			}
		}
		for other := range e.meant {
			if h.ends[other] == nil || !h.joined(id, other) {
				delete(e.meant, other)
				e.post(item{from: other}, h.detect)
			}
		}
	}
}

// post puts an item behind all others of the same sender, if it is not to all.
func (e *End) post(i item, after time.Duration) {
	if e.hub.jitter > 0 {
		after += time.Duration(e.hub.rand.Int64N(int64(e.hub.jitter)))
	}
	i.due = time.Now().Add(after)
	if !i.toAll {
		if last := e.last[i.from]; i.due.Before(last) {
			i.due = last
		}
		e.last[i.from] = i.due
	}
	at, _ := slices.BinarySearchFunc(e.inbox, i, func(a, b item) int {
		return cmp.Or(a.due.Compare(b.due), -1) // behind those due at the same time
	})
	e.inbox = slices.Insert(e.inbox, at, i)
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Self, Members, SendControl, HandleControl and Watch are a Cluster's.
func (e *End) Self() actor.NodeID { return e.self }

// Members are who is up, as watchers have been told or will be soon.
func (e *End) Members() []actor.NodeID {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	members := []actor.NodeID{e.self}
	for node := range e.meant {
		members = append(members, node)
	}
	slices.SortFunc(members, compare)
	return members
}

// compare orders different nodes.
func compare(a, b actor.NodeID) int {
	if a.Less(b) {
		return -1
	}
	return 1
}

// SendControl sends, unless that is known to be in vain.
func (e *End) SendControl(to actor.NodeID, topic string, payload []byte) error {
	h := e.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.ends[to]
	if e.dead || o == nil || !h.joined(e.self, to) {
		return actor.ErrNoConnection
	}
	h.sent++
	h.bytes += len(payload)
	e.spoken[to] = true
	if h.loss > 0 && h.rand.Float64() < h.loss || h.lose != nil && h.lose(e.self, to, topic) {
		return nil
	}
	after := h.latency
	if h.near != nil && !h.near(e.self, to) {
		after += h.far
	}
	o.post(item{from: e.self, topic: topic, payload: payload}, after)
	return nil
}

// HandleControl sets the handler of a topic.
func (e *End) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.handlers[topic] = f
}

// Watch calls f for who is up and for all changes.
func (e *End) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.watches++
	id := e.watches
	e.watchers[id] = f
	e.post(item{watcher: id, from: e.self}, 0)
	return func() {
		e.hub.mu.Lock()
		defer e.hub.mu.Unlock()
		delete(e.watchers, id)
	}
}

// run handles what is due until the node ends.
func (e *End) run() {
	defer close(e.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		calls, next := e.due()
		for _, call := range calls {
			call()
		}
		if len(calls) > 0 {
			continue
		}
		timer.Reset(next)
		select {
		case <-e.stop:
			return
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// due takes the first item that is due and returns what to call for it, or how
// long to wait.
func (e *End) due() (calls []func(), next time.Duration) {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	if e.dead || len(e.inbox) == 0 {
		return nil, time.Hour
	}
	i := e.inbox[0]
	if wait := time.Until(i.due); wait > 0 {
		return nil, wait
	}
	e.inbox = e.inbox[1:]
	switch {
	case i.watcher > 0:
		if f := e.watchers[i.watcher]; f != nil {
			for node := range e.seen {
				calls = append(calls, func() { f(node, true) })
			}
		}
	case i.toAll:
		if f := e.hears[i.topic]; f != nil {
			calls = append(calls, func() { f(i.from, i.payload) })
		}
	case i.topic != "":
		if f := e.handlers[i.topic]; f != nil && e.seen[i.from] {
			calls = append(calls, func() { f(i.from, i.payload) })
		}
	default:
		if i.up {
			e.seen[i.from] = true
		} else {
			delete(e.seen, i.from)
		}
		for id := 1; id <= e.watches; id++ {
			if f := e.watchers[id]; f != nil {
				calls = append(calls, func() { f(i.from, i.up) })
			}
		}
	}
	return append(calls, func() {}), 0
}
