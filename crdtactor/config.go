package crdtactor

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// Config says what a [Replica] or a [Store] holds and how it spreads.
type Config[S crdt.State[S]] struct {
	// Name is the local name that the replicas of this state have on every
	// node. The process must be spawned with it: see [Start].
	Name actor.Name
	// New returns an empty state, such as new(crdt.Cart).
	New func() S
	// Members returns the nodes not known to be dead, this one included or
	// not. It must not block. All of them should run the replica: while one does
	// not, it might still hold something, so nothing is folded, nor settled
	// after a [Forget], until it is no member any more and is forgotten too.
	Members func() []actor.NodeID
	// Peers returns the nodes, among the members, that changes are sent to;
	// these pass them on. On all nodes together they must connect all members,
	// as the active views of HyParView do. Nil means all members. It must not
	// block.
	Peers func() []actor.NodeID
	// Strategy says when changes are sent. The zero Strategy is Eager.
	Strategy Strategy
	// AntiEntropy is how often unacknowledged changes are sent again and
	// states are compared. Zero means DefaultAntiEntropy.
	AntiEntropy time.Duration
	// SyncWait bounds how long a read of a Lazy replica waits for the other
	// nodes. Zero means DefaultSyncWait.
	SyncWait time.Duration
	// Backlog is how many unacknowledged changes are kept one by one. A node
	// further behind is sent what it lacks by anti-entropy. Zero means
	// DefaultBacklog.
	Backlog int
	// Disk keeps the state across restarts. A change is then held by this node,
	// for Update and for [Copies] elsewhere, only once it is on disk. Nil means
	// that it is in memory only.
	Disk *Disk
	// Shards is how many processes the keys of a [Store] are spread over: the
	// same on all nodes, for ever. Zero means one.
	Shards int
}

// Defaults of Config.
const (
	// DefaultAntiEntropy repairs a loss about as fast as a person notices.
	DefaultAntiEntropy = time.Second
	// DefaultSyncWait is several round trips in one data centre.
	DefaultSyncWait = 200 * time.Millisecond
	// DefaultBacklog is a second of a busy replica's changes.
	DefaultBacklog = replica.DefaultBacklog
)

// Strategy says when a replica sends its changes to the others.
type Strategy struct {
	kind   strategyKind
	period time.Duration
}

type strategyKind uint8

const (
	eager strategyKind = iota
	periodic
	lazy
)

// Eager sends every change at once.
func Eager() Strategy { return Strategy{} }

// Periodic sends what has changed every d, which must be positive. An Update
// with Copies does not wait for that: its change is sent at once.
func Periodic(d time.Duration) Strategy { return Strategy{periodic, d} }

// Lazy exchanges changes with the other nodes when somebody reads, and at every
// anti-entropy.
func Lazy() Strategy { return Strategy{kind: lazy} }

func (c *Config[S]) valid() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("crdtactor: Config.Name is empty"))
	}
	if c.New == nil {
		errs = append(errs, errors.New("crdtactor: Config.New is nil"))
	}
	if c.Members == nil {
		errs = append(errs, errors.New("crdtactor: Config.Members is nil"))
	}
	if c.Strategy.kind == periodic && c.Strategy.period <= 0 {
		errs = append(errs, fmt.Errorf("crdtactor: Config.Strategy: period %v is not positive", c.Strategy.period))
	}
	if c.AntiEntropy < 0 || c.SyncWait < 0 || c.Backlog < 0 {
		errs = append(errs, errors.New("crdtactor: Config has a negative AntiEntropy, SyncWait or Backlog"))
	}
	if c.Shards < 0 || c.Shards > maxShards {
		errs = append(errs, fmt.Errorf("crdtactor: Config.Shards %d is not between 0 and %d", c.Shards, maxShards))
	}
	return errors.Join(errs...)
}

// maxShards is more processes than a machine has cores.
const maxShards = 1024

// orDefaults returns c with its zero values replaced.
func (c Config[S]) orDefaults() Config[S] {
	if c.AntiEntropy == 0 {
		c.AntiEntropy = DefaultAntiEntropy
	}
	if c.SyncWait == 0 {
		c.SyncWait = DefaultSyncWait
	}
	if c.Backlog == 0 {
		c.Backlog = DefaultBacklog
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	return c
}
