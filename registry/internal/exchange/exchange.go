// Package exchange keeps a ledger's copies on all nodes alike: the shell of
// package ledger.
//
//	Do ──▶ ledger ──▶ flush ──▶ Cluster.SendControl ──▶ each of the others
//	           ▲         └──or──▶ Overlay.Broadcast ──▶ neighbors, and theirs
//	        handle ◀── what the others send, on their goroutines
//
// Everything that is sent is computed and sent by one goroutine, so that it
// leaves in the order in which the ledger came to it.
//
// # Two ways
//
// Where every node is linked to every other, a change is sent to each member, what
// is missing is asked of its owner, and now and then each tells all what it has.
//
// Elsewhere that would make links to all. There a change is broadcast, once, by
// the [Overlay]. Every second a node sends a sum of all that it has, of whatever
// owner, to one neighbor at random; if the neighbor has another sum it answers with
// how far each part has come there, and who is behind asks for what is lacking, in
// pages. So what a broadcast has not brought, because it was lost or the node is
// new, comes a neighbor at a time. Only what must be confirmed by its owner, after
// the two had lost each other, is asked of it, over a link that is given up when it
// has been idle for long enough.
//
// A node takes what comes by either way, so that nodes may differ in it while the
// topology changes.
//
// # What happens when a node is lost
//
// See package ledger. Its changes that some have and others have not are told on as
// long as it is not known to be lost.
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
	// maxPages bounds how many pages are made at a time, and maxAsks how much one
	// node may ask for before it is answered: twice what a ledger asks.
	maxPages = 16
	maxAsks  = 32
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
	greets  map[actor.NodeID]bool         // whom to tell what there is
	answers map[actor.NodeID][]ledger.Ask // who asks for what
	vectors map[actor.NodeID]vector       // whom to tell how far parts have come
	sums    map[actor.NodeID]bool         // whom to send the digest
	tries   int                           // beats without news while something is missing

	cluster Cluster
	overlay Overlay // nil if there is none
	cancel  func()
	wake    chan struct{} // capacity 1
	stop    chan struct{}
	done    chan struct{}

	// Of run.
	clock clock
}

// message is one of its fields.
type message[V any] struct {
	Update *ledger.Update[V] `cbor:"1,keyasint,omitempty"`
	Have   *ledger.Have      `cbor:"2,keyasint,omitempty"`
	Ask    *ledger.Ask       `cbor:"3,keyasint,omitempty"`
	Page   *ledger.Page[V]   `cbor:"4,keyasint,omitempty"`
	Digest *uint64           `cbor:"5,keyasint,omitempty"`
	Vector *vector           `cbor:"6,keyasint,omitempty"`
}

// New returns an exchange that knows only its own node until it is started.
func New[V any](cfg Config[V]) *Exchange[V] {
	if cfg.AntiEntropy <= 0 {
		cfg.AntiEntropy = DefaultAntiEntropy
	}
	return &Exchange[V]{
		cfg:     cfg,
		ledger:  ledger.New[V](cfg.Node, uint64(time.Now().UnixNano())),
		greets:  make(map[actor.NodeID]bool),
		answers: make(map[actor.NodeID][]ledger.Ask),
		vectors: make(map[actor.NodeID]vector),
		sums:    make(map[actor.NodeID]bool),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// Start begins to exchange with the cluster's members, by broadcasts where the
// cluster is an [Overlay] and that is what it is for.
func (x *Exchange[V]) Start(cluster Cluster) {
	x.cluster = cluster
	cluster.HandleControl(x.cfg.Topic, x.handle)
	if o, ok := cluster.(Overlay); ok {
		x.overlay = o
		o.HandleBroadcast(x.cfg.Topic, x.hear)
	}
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

// clock is when something is due that nobody asks for.
type clock struct {
	tick, have, beat time.Time
	cast             time.Time // before which nothing more is broadcast
}

// run sends until Close.
func (x *Exchange[V]) run() {
	defer close(x.done)
	now := time.Now()
	x.clock = clock{tick: now.Add(askAgain), have: now.Add(x.cfg.AntiEntropy), beat: now.Add(beat)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(x.step(time.Now()))
		select {
		case <-x.stop:
			return
		case <-x.wake:
		case <-timer.C:
		}
	}
}

// step sends what is due, and returns how long to wait unless something happens.
func (x *Exchange[V]) step(now time.Time) time.Duration {
	direct := x.direct()
	due := false
	if !now.Before(x.clock.tick) {
		x.clock.tick = now.Add(askAgain)
		x.mu.Lock()
		x.conclude(x.ledger.Tick(now)) // unlocks
	}
	if !now.Before(x.clock.have) {
		x.clock.have = now.Add(x.cfg.AntiEntropy)
		due = direct
	}
	next := x.clock.tick
	if direct {
		if x.clock.have.Before(next) {
			next = x.clock.have
		}
	} else {
		x.keepBeat(now)
		if x.clock.beat.Before(next) {
			next = x.clock.beat
		}
	}
	if x.flush(now, direct, due) && x.clock.cast.Before(next) {
		next = x.clock.cast
	}
	return max(0, next.Sub(now))
}

// flush sends what there is to send, and after it, if that is due, what there is to
// all. It reports whether something is left that must not be broadcast yet.
func (x *Exchange[V]) flush(now time.Time, direct, due bool) (left bool) {
	x.mu.Lock()
	var updates []ledger.Update[V]
	limit := pageBytes
	if !direct {
		limit = castBytes
	}
	if left = !direct && now.Before(x.clock.cast); left {
		left = x.ledger.Pending()
	} else {
		updates = x.ledger.Flush(limit, x.weigh)
	}
	have := x.ledger.Have()
	letters := x.letters(have)
	x.mu.Unlock()
	for i := range updates {
		if direct {
			x.tellAll(message[V]{Update: &updates[i]})
		} else {
			x.cast(now, &updates[i])
		}
	}
	if due {
		x.tellAll(message[V]{Have: &have})
	}
	for _, l := range letters {
		x.tell(l.to, l.message)
	}
	return left
}

// letters takes what is to be sent to single nodes.
func (x *Exchange[V]) letters(have ledger.Have) (letters []letter[V]) {
	for _, q := range x.ledger.Asks() {
		letters = append(letters, letter[V]{q.To, message[V]{Ask: &q.Ask}})
	}
	pages := 0
	for _, node := range slices.SortedFunc(maps.Keys(x.answers), compare) {
		asks := x.answers[node]
		n := min(len(asks), maxPages-pages)
		for _, ask := range asks[:n] {
			page := x.ledger.Answer(ask, pageBytes, x.weigh)
			letters = append(letters, letter[V]{node, message[V]{Page: &page}})
		}
		if pages += n; n < len(asks) {
			x.answers[node] = asks[n:]
			x.rouse()
			break
		}
		delete(x.answers, node)
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.greets), compare) {
		letters = append(letters, letter[V]{node, message[V]{Have: &have}})
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.vectors), compare) {
		v := x.vectors[node]
		if !v.Answer {
			v.Standings = x.ledger.Vector()
		}
		letters = append(letters, letter[V]{node, message[V]{Vector: &v}})
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.sums), compare) {
		sum := x.ledger.Digest()
		letters = append(letters, letter[V]{node, message[V]{Digest: &sum}})
	}
	clear(x.greets)
	clear(x.vectors)
	clear(x.sums)
	return letters
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

// memberChanged asks a member that has come up for what it has, or those who know,
// and hides the part of one that is gone.
func (x *Exchange[V]) memberChanged(node actor.NodeID, up bool) {
	if node == x.cfg.Node {
		return
	}
	direct := x.direct()
	var changes []ledger.Change[V]
	x.mu.Lock()
	if up {
		x.ledger.Up(node, direct)
		if direct {
			x.greets[node] = true // it may have asked before this node was there
		}
		x.tries = 0
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
	m, ok := x.decode(from, payload)
	if !ok {
		return
	}
	direct := x.direct()
	var changes []ledger.Change[V]
	x.mu.Lock()
	before := x.ledger.Complete()
	switch {
	case m.Update != nil:
		var gap bool
		if changes, gap = x.ledger.Apply(from, *m.Update, true); gap && direct {
			x.ledger.Pull(from)
		}
	case m.Have != nil:
		x.ledger.Heard(from, *m.Have)
	case m.Page != nil:
		changes = x.ledger.Turn(from, *m.Page)
		x.goOn(from, m.Page.Last && !direct)
	case m.Ask != nil:
		x.asked(from, *m.Ask)
	case m.Digest != nil:
		if *m.Digest != x.ledger.Digest() {
			x.vectors[from] = vector{}
		}
	case m.Vector != nil:
		changes = x.compare(from, m.Vector)
	}
	turned := x.ledger.Complete() != before
	busy := x.ledger.Asking() || len(x.answers)+len(x.vectors)+len(x.sums) > 0
	x.conclude(changes) // unlocks
	if busy {
		x.rouse()
	}
	if turned {
		x.turned()
	}
}

// asked notes a question, in place of an earlier one after the same part.
func (x *Exchange[V]) asked(from actor.NodeID, ask ledger.Ask) {
	asks := x.answers[from]
	for i := range asks {
		if asks[i].Owner == ask.Owner {
			asks[i] = ask
			return
		}
	}
	if len(asks) < maxAsks {
		x.answers[from] = append(asks, ask)
	}
}

func (x *Exchange[V]) decode(from actor.NodeID, payload []byte) (m message[V], ok bool) {
	if err := cbor.Unmarshal(payload, &m); err != nil {
		x.cfg.Logger.Warn("malformed control message", "topic", x.cfg.Topic, "from", from.Name, "error", err)
		return m, false
	}
	return m, true
}

// encode never fails: a message holds only plain data.
func encode[V any](m message[V]) []byte {
	payload, err := cbor.Marshal(m)
	if err != nil {
		panic("registry: " + err.Error())
	}
	return payload
}
