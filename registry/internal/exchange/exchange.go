// Package exchange keeps a ledger's copies on all nodes alike: the shell of
// package ledger.
//
//	Do ──▶ ledger ──▶ flush ──▶ Cluster.SendControl ──▶ the others
//	           ▲
//	        handle ◀── what the others send, on their goroutines
//
// Everything that is sent is computed and sent by one goroutine, so that it
// leaves in the order in which the ledger came to it.
package exchange

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// DefaultAntiEntropy is how often the others are told what there is.
const DefaultAntiEntropy = 5 * time.Second

const (
	// pageBytes bounds a message, except one with a single larger record.
	pageBytes = 64 << 10
	// askAgain is how long an answer is waited for.
	askAgain = time.Second
)

// Cluster is what an exchange needs of the remote layer.
type Cluster interface {
	Self() actor.NodeID
	Members() []actor.NodeID
	SendControl(to actor.NodeID, topic string, payload []byte) error
	HandleControl(topic string, f func(from actor.NodeID, payload []byte))
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

// Config says what an Exchange does.
type Config[V any] struct {
	// Topic is the control topic.
	Topic string
	// Node is this node.
	Node actor.NodeID
	// Logger gets a line for what is malformed. It must not be nil.
	Logger *slog.Logger
	// AntiEntropy is how often the others are told what there is. Zero means
	// DefaultAntiEntropy.
	AntiEntropy time.Duration
	// Weigh is about how many bytes a value has on the wire.
	Weigh func(value V) int
	// Changed is called, within Do, with what others have changed. What it
	// returns, if not nil, is called soon after, outside of Do.
	Changed func(l *ledger.Ledger[V], changes []ledger.Change[V]) (after func())
	// Turned, if not nil, is called outside of Do when a member has come or
	// gone, or its part has become complete.
	Turned func()
}

// Exchange is a ledger and its connection with the others. Make one with [New],
// Start it, Close it. It is safe for concurrent use.
type Exchange[V any] struct {
	cfg Config[V]

	mu      sync.Mutex // guards the rest
	ledger  *ledger.Ledger[V]
	asks    map[actor.NodeID]bool       // whom to ask
	greets  map[actor.NodeID]bool       // whom to tell what there is
	answers map[actor.NodeID]ledger.Ask // who asks

	cluster Cluster
	cancel  func()
	wake    chan struct{} // capacity 1
	stop    chan struct{}
	done    chan struct{}
}

// message is one of its fields.
type message[V any] struct {
	Update *ledger.Update[V] `cbor:"1,keyasint,omitempty"`
	Have   *ledger.Have      `cbor:"2,keyasint,omitempty"`
	Ask    *ledger.Ask       `cbor:"3,keyasint,omitempty"`
	Page   *ledger.Page[V]   `cbor:"4,keyasint,omitempty"`
}

// New returns an exchange that knows only its own node until it is started.
func New[V any](cfg Config[V]) *Exchange[V] {
	if cfg.AntiEntropy <= 0 {
		cfg.AntiEntropy = DefaultAntiEntropy
	}
	return &Exchange[V]{
		cfg:     cfg,
		ledger:  ledger.New[V](cfg.Node, uint64(time.Now().UnixNano())),
		asks:    make(map[actor.NodeID]bool),
		greets:  make(map[actor.NodeID]bool),
		answers: make(map[actor.NodeID]ledger.Ask),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// Start begins to exchange with the cluster's members.
func (x *Exchange[V]) Start(cluster Cluster) {
	x.cluster = cluster
	cluster.HandleControl(x.cfg.Topic, x.handle)
	go x.run()
	x.cancel = cluster.Watch(x.memberChanged)
}

// Close ends the exchange and waits for it. It must have been started.
func (x *Exchange[V]) Close() {
	x.cancel()
	close(x.stop)
	<-x.done
}

// Do lets f read and write the ledger. It must not wait for anything.
func (x *Exchange[V]) Do(f func(l *ledger.Ledger[V])) {
	x.mu.Lock()
	f(x.ledger)
	pending := x.ledger.Pending()
	x.mu.Unlock()
	if pending {
		x.rouse()
	}
}

func (x *Exchange[V]) rouse() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// run sends until Close.
func (x *Exchange[V]) run() {
	defer close(x.done)
	tick := time.NewTicker(min(askAgain, x.cfg.AntiEntropy))
	defer tick.Stop()
	due := time.Now().Add(x.cfg.AntiEntropy)
	for {
		x.flush(false)
		select {
		case <-x.stop:
			return
		case <-x.wake:
		case now := <-tick.C:
			x.mu.Lock()
			for _, node := range x.ledger.Tick(now) {
				x.asks[node] = true
			}
			x.mu.Unlock()
			if !now.Before(due) {
				due = now.Add(x.cfg.AntiEntropy)
				x.flush(true)
			}
		}
	}
}

// flush sends what there is to send, and after it, if that is due, what there is.
func (x *Exchange[V]) flush(due bool) {
	x.mu.Lock()
	updates := x.ledger.Flush(pageBytes, x.weigh)
	have := x.ledger.Have()
	var letters []letter[V]
	for _, node := range slices.SortedFunc(maps.Keys(x.asks), compare) {
		if ask, ok := x.ledger.Ask(node); ok {
			letters = append(letters, letter[V]{node, message[V]{Ask: &ask}})
		}
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.answers), compare) {
		page := x.ledger.Answer(x.answers[node], pageBytes, x.weigh)
		letters = append(letters, letter[V]{node, message[V]{Page: &page}})
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.greets), compare) {
		letters = append(letters, letter[V]{node, message[V]{Have: &have}})
	}
	clear(x.greets)
	clear(x.asks)
	clear(x.answers)
	x.mu.Unlock()
	for i := range updates {
		x.tellAll(message[V]{Update: &updates[i]})
	}
	if due {
		x.tellAll(message[V]{Have: &have})
	}
	for _, l := range letters {
		x.tell(l.to, l.message)
	}
}

type letter[V any] struct {
	to      actor.NodeID
	message message[V]
}

func compare(a, b actor.NodeID) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// overhead is about what a record has besides its key and value.
const overhead = 16

func (x *Exchange[V]) weigh(r *ledger.Record[V]) int {
	return len(r.Key) + x.cfg.Weigh(r.Value) + overhead
}

// tellAll tells every member, who asks if it is lost.
func (x *Exchange[V]) tellAll(m message[V]) {
	payload := encode(m)
	for _, node := range x.cluster.Members() {
		if node != x.cfg.Node {
			_ = x.cluster.SendControl(node, x.cfg.Topic, payload)
		}
	}
}

func (x *Exchange[V]) tell(node actor.NodeID, m message[V]) {
	_ = x.cluster.SendControl(node, x.cfg.Topic, encode(m))
}

// memberChanged asks a member that has come up for what it has, and hides the
// part of one that is gone.
func (x *Exchange[V]) memberChanged(node actor.NodeID, up bool) {
	if node == x.cfg.Node {
		return
	}
	var changes []ledger.Change[V]
	x.mu.Lock()
	if up {
		x.ledger.Up(node)
		x.asks[node] = true
		x.greets[node] = true // it may have asked before this node was there
	} else {
		changes = x.ledger.Down(time.Now(), node)
	}
	x.conclude(changes) // unlocks
	x.rouse()
	x.turned()
}

func (x *Exchange[V]) turned() {
	if x.cfg.Turned != nil {
		x.cfg.Turned()
	}
}

// conclude lets the layer above follow, within and after the lock.
func (x *Exchange[V]) conclude(changes []ledger.Change[V]) {
	var after func()
	if len(changes) > 0 {
		after = x.cfg.Changed(x.ledger, changes)
	}
	pending := x.ledger.Pending()
	x.mu.Unlock()
	if pending {
		x.rouse()
	}
	if after != nil {
		after()
	}
}

// handle takes a message from another node.
func (x *Exchange[V]) handle(from actor.NodeID, payload []byte) {
	var m message[V]
	if err := cbor.Unmarshal(payload, &m); err != nil {
		x.cfg.Logger.Warn("malformed control message", "topic", x.cfg.Topic, "from", from.Name, "error", err)
		return
	}
	var changes []ledger.Change[V]
	var ask, turned bool
	x.mu.Lock()
	before := x.ledger.Synced(from)
	switch {
	case m.Update != nil:
		changes, ask = x.ledger.Apply(from, *m.Update)
	case m.Have != nil:
		ask = x.ledger.Heard(from, *m.Have)
	case m.Page != nil:
		changes, ask = x.ledger.Turn(from, *m.Page)
		turned = !before && x.ledger.Synced(from)
	case m.Ask != nil:
		x.answers[from] = *m.Ask
	}
	if ask {
		x.asks[from] = true
	}
	x.conclude(changes) // unlocks
	if ask || m.Ask != nil {
		x.rouse()
	}
	if turned {
		x.turned()
	}
}

// encode never fails: a message holds only plain data.
func encode[V any](m message[V]) []byte {
	payload, err := cbor.Marshal(m)
	if err != nil {
		panic("registry: " + err.Error())
	}
	return payload
}
