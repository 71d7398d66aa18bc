package partition

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

// Defaults of Config.
const (
	// DefaultMinLost takes every node that falls silent for one behind a
	// partition: whoever is alone on its side must not be the only one to know.
	DefaultMinLost = 1
	// DefaultInterval makes a lost message good about as fast as a person
	// notices.
	DefaultInterval = time.Second
	// DefaultMaxOps and DefaultMaxBytes are an hour of a person's work, or
	// minutes of a busy service's: some megabytes on each node.
	DefaultMaxOps   = 1 << 16
	DefaultMaxBytes = 64 << 20
	// DefaultKeep is more than a node takes in before it has met the others.
	DefaultKeep = 1024
	// DefaultMaxOrigins is a thousand nodes that are restarted ten times.
	DefaultMaxOrigins = 10_000
)

// How operations are sent: messages that do not hold others up for long, and
// no more of them at a time than a receiver handles in a moment.
const (
	batchOps   = 256
	batchBytes = 256 << 10
	windowOps  = 4096
)

// patience is for how many intervals a guard's state must have lacked the same
// operations to count as diverged: longer than it takes to notice that someone
// is not there who may have them.
const patience = 15

// Cluster is what a [Guard] has to be told. Its methods are those of
// *remote.Node, except that what that calls Observe is ObserveRemote here, as
// for *topos.Node.
type Cluster interface {
	// Subscribe calls f for every other node that comes or goes, first for
	// those that are there, in order, until cancel is called.
	Subscribe(f func(remote.MemberEvent)) (cancel func())
	// ObserveRemote calls f for what the overlay's protocols report.
	ObserveRemote(f func(remote.Event)) (cancel func())
}

// Leader is an election of which at most one node anywhere is the winner at a
// time. A registry with strong consistency has it.
type Leader interface {
	// IsLeader reports whether this node holds a lease that is valid now.
	IsLeader() bool
	// Token returns the fencing token of this node's lease; ok is false if it
	// has none.
	Token() (epoch, index uint64, ok bool)
	// Watch calls f with who leads as far as this node knows, and whenever that
	// changes, in order, until cancel is called. The zero NodeID is nobody: there
	// is no quorum on this side. f must not wait.
	Watch(f func(leader actor.NodeID)) (cancel func())
}

// Config says what a [Guard] lets through. Name, Cluster and Classify must be
// given.
type Config struct {
	// Name is the local name of the guard's process, the same on every node of
	// the cluster. The process must be spawned with it: see [Start].
	Name actor.Name
	// Strategy says what is done while the cluster is parted.
	Strategy Strategy
	// Cluster tells who is there.
	Cluster Cluster
	// Classify says what a message does. It must not wait, and is not asked for
	// the kernel's messages, such as actor.Down, which are always let through.
	Classify func(msg any) Class

	// Leader is the election, for ElectLeader.
	Leader Leader
	// LeaderOnly lets only the node write that leads, with ElectLeader, and that
	// at all times. Otherwise all nodes on its side do; then a node that is cut
	// off from it goes on until it has noticed.
	LeaderOnly bool

	// Types are the types of operations, for MergeOnReconnect: see topos.Types.
	Types []codec.Type
	// Interval is how often guards compare what they have applied. Zero means
	// DefaultInterval.
	Interval time.Duration
	// MaxOps and MaxBytes bound the operations of this node that not all known
	// nodes have applied. Of each other node there may be twice as many. Zero
	// means DefaultMaxOps and DefaultMaxBytes.
	MaxOps, MaxBytes int
	// Keep is how many operations are kept although all have applied them. Zero
	// means DefaultKeep, a negative number none.
	Keep int
	// MaxOrigins bounds how many starts of guards are remembered. Beyond it,
	// operations of others are not taken. Zero means DefaultMaxOrigins.
	MaxOrigins int

	// MinLost is how many nodes must have fallen silent for the cluster to be
	// parted. Zero means DefaultMinLost.
	MinLost int
	// GiveUp is after how long a silent node counts as crashed. Zero is never:
	// see [Forget].
	GiveUp time.Duration

	// Observe, if not nil, is told what happens, by the guard's process. It must
	// not wait.
	Observe func(Event)
}

func (c *Config) valid(inner actor.Actor) error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("partition: "+format, args...))
		}
	}
	wrong(c.Name == "", "Config.Name is empty")
	wrong(c.Cluster == nil, "Config.Cluster is nil")
	wrong(c.Classify == nil, "Config.Classify is nil")
	wrong(c.Strategy > MergeOnReconnect, "Config.Strategy %v is not known", c.Strategy)
	wrong(c.Strategy == ElectLeader && c.Leader == nil, "Config.Leader is nil with %v", ElectLeader)
	wrong(c.LeaderOnly && c.Strategy != ElectLeader, "Config.LeaderOnly with %v", c.Strategy)
	wrong(c.MaxOps < 0 || c.MaxBytes < 0 || c.MaxOrigins < 0 || c.MinLost < 0, "Config has a negative MaxOps, MaxBytes, MaxOrigins or MinLost")
	wrong(c.Interval < 0 || c.GiveUp < 0, "Config has a negative Interval or GiveUp")
	wrong(inner == nil, "the guarded actor is nil")
	if _, ok := inner.(Merger); c.Strategy == MergeOnReconnect && inner != nil {
		wrong(!ok, "%v needs a Merger, and %T is none", MergeOnReconnect, inner)
		if _, err := codec.New(codec.Config{Types: c.Types}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// or returns v, or what takes its place if it is zero.
func or[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func (c Config) withDefaults() Config {
	c.MinLost = or(c.MinLost, DefaultMinLost)
	c.Interval = or(c.Interval, DefaultInterval)
	c.MaxOps = or(c.MaxOps, DefaultMaxOps)
	c.MaxBytes = or(c.MaxBytes, DefaultMaxBytes)
	c.Keep = max(or(c.Keep, DefaultKeep), 0)
	c.MaxOrigins = or(c.MaxOrigins, DefaultMaxOrigins)
	return c
}

func (c *Config) limits() limits {
	return limits{
		ops: c.MaxOps, bytes: c.MaxBytes, keep: c.Keep, origins: c.MaxOrigins,
		batch: batchOps, batchBytes: batchBytes, window: windowOps, patience: patience,
	}
}
