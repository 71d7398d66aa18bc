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
// pages. What is broadcast by a node before it is known to be up waits for that news, as
// there is no order between the two. So what a broadcast has not brought, because it was lost or the node is
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
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

const (
	// DefaultAntiEntropy is how often the others are told what there is, where all
	// are linked to all.
	DefaultAntiEntropy = 5 * time.Second
	// DefaultGather lets a change wait no longer than people notice, and a node
	// broadcast fifty times a second at most: each node keeps some thousand.
	DefaultGather = 20 * time.Millisecond
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
	// Gather is how soon after a broadcast there is another: what is written
	// meanwhile is one. Zero means DefaultGather.
	Gather time.Duration
	// Hasty says that when a member is lost the others have something to say about
	// that, for which they should not wait until broadcasts have found another way
	// than over it.
	Hasty bool
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
	up      map[actor.NodeID]bool         // who is, as far as the ledger knows
	early   []early[V]                    // what has come of others, oldest first
	rounds  int                           // how often to compare with all neighbors still

	cluster Cluster
	overlay Overlay // nil if there is none
	cancel  func()
	wake    chan struct{} // capacity 1
	stop    chan struct{}
	done    chan struct{}

	// Of run.
	clock clock
}

// New returns an exchange that knows only its own node until it is started.
func New[V any](cfg Config[V]) *Exchange[V] {
	if cfg.AntiEntropy <= 0 {
		cfg.AntiEntropy = DefaultAntiEntropy
	}
	if cfg.Gather <= 0 {
		cfg.Gather = DefaultGather
	}
	return &Exchange[V]{
		cfg:     cfg,
		ledger:  ledger.New[V](cfg.Node, uint64(time.Now().UnixNano())),
		greets:  make(map[actor.NodeID]bool),
		answers: make(map[actor.NodeID][]ledger.Ask),
		vectors: make(map[actor.NodeID]vector),
		sums:    make(map[actor.NodeID]bool),
		up:      make(map[actor.NodeID]bool),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// Start begins to exchange with the cluster's members, by broadcasts where the
// cluster is an [Overlay] and that is what it is for.
func (x *Exchange[V]) Start(cluster Cluster) {
	x.cluster = cluster
	x.overlay, _ = cluster.(Overlay)
	cluster.HandleControl(x.cfg.Topic, x.handle)
	if x.overlay != nil {
		x.overlay.HandleBroadcast(x.cfg.Topic, x.hear)
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
		x.expire(now)
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
		x.up[node] = true
		changes = x.welcome(node)
		if direct {
			x.greets[node] = true // it may have asked before this node was there
		}
		x.tries = 0
	} else {
		changes = x.ledger.Down(time.Now(), node)
		delete(x.up, node)
		if x.cfg.Hasty && !direct {
			x.rounds = hastyRounds
		}
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
