package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/board"
	"github.com/topos-go/topos/registry/internal/exchange"
	"github.com/topos-go/topos/registry/internal/ledger"
)

const (
	// DefaultAntiEntropy bounds how long a lost update goes unnoticed. Updates
	// are only lost when a queue overflows or a connection is given up, so
	// this is the second net.
	DefaultAntiEntropy = exchange.DefaultAntiEntropy
	// MaxName bounds a name, in bytes.
	MaxName = 1 << 10
	// MaxMetadata bounds the metadata of a name, keys and values, in bytes: a
	// claim is sent in one message.
	MaxMetadata = 32 << 10
)

var (
	// ErrMetadata is returned by [Names.Describe] for more than MaxMetadata.
	ErrMetadata = errors.New("registry: too much metadata")
	// ErrNotHolder is returned by [Names.Describe] for a process that does not
	// hold the name, or is not of this node.
	ErrNotHolder = errors.New("registry: not the holder of the name")
)

// NamesConfig says how a [Names] works.
type NamesConfig struct {
	// Node is this node's identity.
	Node actor.NodeID
	// Logger gets a line for every conflict. Nil discards.
	Logger *slog.Logger
	// AntiEntropy is how often the members are told what there is, so that one
	// who missed something asks for it, where all are linked. Zero means
	// DefaultAntiEntropy. Elsewhere nodes compare every second what they have.
	AntiEntropy time.Duration
	// Rule decides who keeps a name that two processes hold. Nil means
	// [Oldest]. It must be the same on all nodes.
	Rule Rule
}

// Names is the table of cluster-wide names. It implements actor.Names. Make one
// with [NewNames], hand it to actor.NewSystem, then Start it, and Close it. It
// is safe for concurrent use.
type Names struct {
	cfg    NamesConfig
	shared *exchange.Exchange[claim]
	table  *table // within shared.Do, but for holders
	board  *board.Board
	exit   func(pid actor.PID, reason error) error

	// The lock guards the rest. It may be taken within shared.Do.
	mu       sync.Mutex
	waiters  map[string][]chan struct{}
	readers  map[uint64]func(NameEvent)
	lastRead uint64
}

// namesTopic is the control topic of all that Names say to each other.
const namesTopic = "registry/names"

// NewNames returns a table that knows only its own node until it is started.
func NewNames(cfg NamesConfig) *Names {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Names{
		cfg:     cfg,
		table:   newTable(unique.Make(cfg.Node), cfg.Rule),
		board:   board.New(),
		waiters: make(map[string][]chan struct{}),
		readers: make(map[uint64]func(NameEvent)),
	}
	n.shared = exchange.New(exchange.Config[claim]{
		Topic:       namesTopic,
		Node:        cfg.Node,
		Logger:      cfg.Logger,
		AntiEntropy: cfg.AntiEntropy,
		Weigh:       claim.weight,
		Changed:     n.changed,
	})
	return n
}

// Start joins the tables of the cluster's members. exit is how a process that
// loses a name is told, usually actor.System.Exit. It should be called before
// the node joins its cluster.
func (n *Names) Start(cluster Cluster, exit func(pid actor.PID, reason error) error) {
	n.exit = exit
	n.board.Start()
	n.shared.Start(cluster)
}

// Close ends the exchange with other nodes and waits for it. Names must have
// been started.
func (n *Names) Close() {
	n.shared.Close()
	n.board.Close()
}

// Whereis returns the process that holds name, as far as this node knows. It
// takes no lock and allocates nothing.
func (n *Names) Whereis(name string) (actor.PID, bool) {
	if pid := n.table.holders.Get(name); pid != nil {
		return *pid, true
	}
	return actor.PID{}, false
}

// Lookup returns the claim of the process that holds name, as far as this node
// knows.
func (n *Names) Lookup(name string) (Claim, bool) {
	if holder, _ := n.table.holder(name); holder != nil {
		return holder.shown(name), true
	}
	return Claim{}, false
}

// Len is how many names this node knows.
func (n *Names) Len() int { return n.table.holders.Len() }

// All returns every name known and its holder. The map is the caller's.
func (n *Names) All() map[string]actor.PID {
	all := make(map[string]actor.PID, n.table.holders.Len())
	for name, pid := range n.table.holders.All() {
		all[name] = *pid
	}
	return all
}

// Await returns the holder of name as soon as there is one.
func (n *Names) Await(ctx context.Context, name string) (actor.PID, error) {
	for {
		if pid, ok := n.Whereis(name); ok {
			return pid, nil
		}
		changed := make(chan struct{})
		n.mu.Lock()
		n.waiters[name] = append(n.waiters[name], changed)
		n.mu.Unlock()
		// It may have come before there was somebody to wake.
		if pid, ok := n.Whereis(name); ok {
			n.giveUp(name, changed)
			return pid, nil
		}
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

// Register implements actor.Names. Besides ErrNameTaken it fails with
// actor.ErrInvalidName for a name longer than MaxName.
func (n *Names) Register(name string, pid actor.PID) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%w: %d bytes", actor.ErrInvalidName, len(name))
	}
	return n.step(func(l *ledger.Ledger[claim]) (outcome, error) {
		return n.table.register(l, name, pid, time.Now().UnixNano())
	})
}

// Unregister implements actor.Names.
func (n *Names) Unregister(name string, pid actor.PID) {
	_ = n.step(func(l *ledger.Ledger[claim]) (outcome, error) {
		return n.table.unregister(l, name, pid), nil
	})
}

// Describe lets all nodes know metadata of name, in place of what it had. Only
// for a process of this node that holds it; it fails with ErrNotHolder or
// ErrMetadata. The map is copied.
func (n *Names) Describe(name string, pid actor.PID, metadata map[string]string) error {
	if w := (claim{Metadata: metadata}).weight(); w > MaxMetadata {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMetadata, w, MaxMetadata)
	}
	metadata = maps.Clone(metadata)
	return n.step(func(l *ledger.Ledger[claim]) (outcome, error) {
		out, ok := n.table.describe(l, name, pid, metadata)
		if !ok {
			return out, fmt.Errorf("%w: %v of %q", ErrNotHolder, pid, name)
		}
		return out, nil
	})
}

// step lets f change the table, and does what follows.
func (n *Names) step(f func(*ledger.Ledger[claim]) (outcome, error)) error {
	var err error
	var after func()
	n.shared.Do(func(l *ledger.Ledger[claim]) {
		var out outcome
		out, err = f(l)
		after = n.publish(out)
	})
	if after != nil {
		after()
	}
	return err
}

// changed follows what others have changed.
func (n *Names) changed(l *ledger.Ledger[claim], changes []ledger.Change[claim]) (after func()) {
	var out outcome
	for _, c := range changes {
		n.table.follow(l, c, &out)
	}
	return n.publish(out)
}

// publish wakes those who wait and tells those who read. It returns what has to
// be done outside the lock.
func (n *Names) publish(out outcome) (after func()) {
	if len(out.events) == 0 {
		return nil
	}
	n.mu.Lock()
	if len(n.waiters) > 0 {
		for _, e := range out.events {
			if e.Kind == NameRegistered {
				for _, w := range n.waiters[e.Name] {
					close(w)
				}
				delete(n.waiters, e.Name)
			}
		}
	}
	read := len(n.readers) > 0
	n.mu.Unlock()
	if read {
		n.board.Post(func() { n.tell(out.events) })
	}
	if len(out.lost) == 0 {
		return nil
	}
	return func() { n.end(out.lost) }
}

// end ends the local processes that have lost a name.
func (n *Names) end(lost []NameEvent) {
	for _, e := range lost {
		n.cfg.Logger.Warn("process lost a cluster name", "name", e.Name, "pid", e.PID, "winner", e.Winner)
		// The process may have ended meanwhile, which is what is wanted.
		_ = n.exit(e.PID, &ConflictError{Name: e.Name, Winner: e.Winner})
	}
}

// Subscribe calls f for everything that happens to cluster names, as this node
// sees it, until cancel is called. All calls come from one goroutine, one after
// the other, and for one name in the order in which it happened; f should be
// quick and may call any method but Close. What is there already is not told:
// see [Names.All] and [Names.Lookup]. After cancel has returned, no further call
// begins.
func (n *Names) Subscribe(f func(NameEvent)) (cancel func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lastRead++
	id := n.lastRead
	n.readers[id] = f
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.readers, id)
	}
}

// tell tells each reader of each event.
func (n *Names) tell(events []NameEvent) {
	n.mu.Lock()
	readers := maps.Clone(n.readers)
	n.mu.Unlock()
	for id, f := range readers {
		for _, e := range events {
			n.mu.Lock()
			_, there := n.readers[id]
			n.mu.Unlock()
			if there {
				f(e)
			}
		}
	}
}
