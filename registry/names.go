package registry

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unique"

	"github.com/fxamacker/cbor/v2"

	"github.com/topos-go/topos/actor"
)

// Cluster is what the registry needs of the remote layer.
type Cluster interface {
	// Self is this node.
	Self() actor.NodeID
	// Members are the nodes not known to be dead, this one included.
	Members() []actor.NodeID
	// SendControl sends payload to the handler of topic on another node. For
	// one pair of nodes and one topic payloads arrive in order; some may be
	// lost when the connection is.
	SendControl(to actor.NodeID, topic string, payload []byte) error
	// HandleControl lets f handle what comes in for topic. f must not block.
	HandleControl(topic string, f func(from actor.NodeID, payload []byte))
	// Watch calls f for every member that comes up and goes down, in order,
	// for those that are up already first.
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

// ErrConflict is matched by every [*ConflictError].
var ErrConflict = fmt.Errorf("registry: name conflict: %w", actor.ErrNameTaken)

// ConflictError is the exit reason of a process that held a cluster name which
// an older claim of another process turned out to be on.
type ConflictError struct {
	Name   string
	Winner actor.PID
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("registry: name %q belongs to %v", e.Name, e.Winner)
}

// Is reports whether target is ErrConflict or actor.ErrNameTaken.
func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict || target == actor.ErrNameTaken
}

// NamesConfig says how a [Names] works.
type NamesConfig struct {
	// Node is this node's identity.
	Node actor.NodeID
	// Logger gets a line for every conflict. Nil discards.
	Logger *slog.Logger
	// AntiEntropy is how often the members are told how many changes there
	// have been, so that one who missed the last asks for it. Zero means
	// DefaultAntiEntropy.
	AntiEntropy time.Duration
}

// DefaultAntiEntropy bounds how long a lost update goes unnoticed. Updates are
// only lost with a connection, and a reconnecting node sends everything, so
// this is the second net.
const DefaultAntiEntropy = 5 * time.Second

// Names is the table of cluster-wide names. It implements actor.Names. Make one
// with [NewNames], hand it to actor.NewSystem, then Start it. It is safe for
// concurrent use.
type Names struct {
	cfg NamesConfig

	mu      sync.RWMutex // guards the rest
	table   *table
	outbox  []change // own changes not yet handed to the network
	waiters map[string][]chan struct{}

	cluster Cluster
	exit    func(pid actor.PID, reason error) error
	wake    chan struct{} // capacity 1
	stop    chan struct{}
	done    chan struct{}
}

// topic is the control topic of all that Names nodes say to each other.
const topic = "registry/names"

// message is what goes over the wire: one of its fields.
type message struct {
	Update *update `cbor:"1,keyasint,omitempty"`
	Have   *uint64 `cbor:"2,keyasint,omitempty"` // the sender's seq
	Want   bool    `cbor:"3,keyasint,omitempty"` // asks for a full update
}

// NewNames returns a table that knows only its own node until it is started.
func NewNames(cfg NamesConfig) *Names {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.AntiEntropy <= 0 {
		cfg.AntiEntropy = DefaultAntiEntropy
	}
	return &Names{
		cfg:     cfg,
		table:   newTable(unique.Make(cfg.Node)),
		waiters: make(map[string][]chan struct{}),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
}

// Start joins the tables of the cluster's members. exit is how a process that
// loses a name is told, usually actor.System.Exit.
func (n *Names) Start(cluster Cluster, exit func(pid actor.PID, reason error) error) {
	n.cluster, n.exit = cluster, exit
	cluster.HandleControl(topic, n.handle)
	go n.run()
}

// Close ends the exchange with other nodes and waits for it.
func (n *Names) Close() {
	close(n.stop)
	<-n.done
}

// Whereis returns the process that holds name, as far as this node knows.
func (n *Names) Whereis(name string) (actor.PID, bool) {
	n.mu.RLock()
	w, ok := n.table.winners[name]
	n.mu.RUnlock()
	return w.pid, ok
}

// Await returns the holder of name as soon as there is one.
func (n *Names) Await(ctx context.Context, name string) (actor.PID, error) {
	for {
		n.mu.Lock()
		if w, ok := n.table.winners[name]; ok {
			n.mu.Unlock()
			return w.pid, nil
		}
		changed := make(chan struct{})
		n.waiters[name] = append(n.waiters[name], changed)
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			n.giveUp(name, changed)
			return actor.PID{}, fmt.Errorf("registry: await %q: %w", name, context.Cause(ctx))
		}
	}
}

func (n *Names) giveUp(name string, w chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, other := range n.waiters[name] {
		if other == w {
			n.waiters[name] = append(n.waiters[name][:i:i], n.waiters[name][i+1:]...)
			break
		}
	}
	if len(n.waiters[name]) == 0 {
		delete(n.waiters, name)
	}
}

// All returns every name known and its holder. The map is the caller's.
func (n *Names) All() map[string]actor.PID {
	n.mu.RLock()
	defer n.mu.RUnlock()
	all := make(map[string]actor.PID, len(n.table.winners))
	for name, w := range n.table.winners {
		all[name] = w.pid
	}
	return all
}

// Register implements actor.Names.
func (n *Names) Register(name string, pid actor.PID) error {
	n.mu.Lock()
	out, err := n.table.register(name, pid, time.Now().UnixNano())
	n.follow(out) // unlocks
	return err
}

// Unregister implements actor.Names.
func (n *Names) Unregister(name string, pid actor.PID) {
	n.mu.Lock()
	n.follow(n.table.unregister(name, pid)) // unlocks
}

// follow carries out what a step of the table asks for. It is called with n.mu
// held and releases it.
func (n *Names) follow(out outcome) {
	n.outbox = append(n.outbox, out.publish...)
	var woken []chan struct{}
	for _, name := range out.changed {
		woken = append(woken, n.waiters[name]...)
		delete(n.waiters, name)
	}
	n.mu.Unlock()
	for _, w := range woken {
		close(w)
	}
	for _, l := range out.lost {
		n.cfg.Logger.Warn("process lost a cluster name", "name", l.name, "pid", l.pid, "winner", l.winner)
		// The process may have ended meanwhile, which is what is wanted.
		_ = n.exit(l.pid, &ConflictError{Name: l.name, Winner: l.winner})
	}
	if len(out.publish) > 0 {
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
}

// run tells the members of changes until Close.
func (n *Names) run() {
	defer close(n.done)
	cancel := n.cluster.Watch(n.memberChanged)
	defer cancel()
	tick := time.NewTicker(n.cfg.AntiEntropy)
	defer tick.Stop()
	for {
		select {
		case <-n.stop:
			return
		case <-n.wake:
			n.mu.Lock()
			u := update{After: n.table.seq - uint64(len(n.outbox)), Changes: n.outbox}
			n.outbox = nil
			n.mu.Unlock()
			if len(u.Changes) > 0 {
				n.tellAll(message{Update: &u})
			}
		case <-tick.C:
			n.mu.RLock()
			have := n.table.seq
			n.mu.RUnlock()
			n.tellAll(message{Have: &have})
		}
	}
}

func (n *Names) tellAll(m message) {
	payload := encode(m)
	for _, node := range n.cluster.Members() {
		if node != n.cfg.Node {
			// A member that cannot be reached is told everything when it is back.
			_ = n.cluster.SendControl(node, topic, payload)
		}
	}
}

func (n *Names) tell(node actor.NodeID, m message) {
	_ = n.cluster.SendControl(node, topic, encode(m))
}

// memberChanged greets a member that has come up with everything there is, and
// forgets one that is gone.
func (n *Names) memberChanged(node actor.NodeID, up bool) {
	if node == n.cfg.Node {
		return
	}
	if up {
		n.mu.RLock()
		u := n.table.full()
		n.mu.RUnlock()
		n.tell(node, message{Update: &u})
		return
	}
	n.mu.Lock()
	n.follow(n.table.forget(node)) // unlocks
}

// handle takes a message from another node.
func (n *Names) handle(from actor.NodeID, payload []byte) {
	var m message
	if err := cbor.Unmarshal(payload, &m); err != nil {
		n.cfg.Logger.Warn("malformed message about names", "from", from.Name, "error", err)
		return
	}
	switch {
	case m.Update != nil:
		n.mu.Lock()
		out := n.table.apply(from, *m.Update)
		n.follow(out) // unlocks
		if out.stale {
			n.tell(from, message{Want: true})
		}
	case m.Have != nil:
		n.mu.RLock()
		behind := n.table.behind(from, *m.Have)
		n.mu.RUnlock()
		if behind {
			n.tell(from, message{Want: true})
		}
	case m.Want:
		n.mu.RLock()
		u := n.table.full()
		n.mu.RUnlock()
		n.tell(from, message{Update: &u})
	}
}

// encode never fails: message holds only plain data.
func encode(m message) []byte {
	payload, err := cbor.Marshal(m)
	if err != nil {
		panic("registry: " + err.Error())
	}
	return payload
}
