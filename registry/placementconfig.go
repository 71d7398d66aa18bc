package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

const (
	// DefaultSettle is how long the views of a side must have agreed before its
	// nodes act on them: several times what a change takes to reach everybody,
	// and short enough that a lost node's children are back within a second.
	DefaultSettle = 500 * time.Millisecond
	// DefaultMoves is how many children a node gives up at a time when they
	// belong elsewhere: what is on the move answers nobody.
	DefaultMoves = 8
	// DefaultRestarts is how often within supervisor.DefaultPeriod a child is
	// restarted where it is before its node gives it up for a while.
	DefaultRestarts = 3
	// DefaultHandoffTimeout bounds a Handoff's Give and Merge.
	DefaultHandoffTimeout = 5 * time.Second
	// DefaultMaxState bounds the state that is handed over, in bytes: it is sent
	// in one message, which others wait behind.
	DefaultMaxState = 1 << 20
	// DefaultDrift is by how much the clocks of two machines may differ in
	// speed: far more than those of machines that keep time.
	DefaultDrift = 0.05
	// DefaultFirstRest and DefaultLongestRest are how long a node leaves a child
	// alone that has crashed too often.
	DefaultFirstRest   = time.Second
	DefaultLongestRest = time.Minute
)

// Attributes are what placement knows of a node.
type Attributes struct {
	// Weight is the node's share of the children: with 2, twice as many as a
	// node with 1. Zero means 1; a negative weight means none.
	Weight float64
	// Labels are what children may require; see Child.Requires.
	Labels map[string]string
}

// PlacementConfig says how a node's placement works; see [StartPlacement]. The
// zero values of all but Cluster mean their defaults.
type PlacementConfig struct {
	// Cluster tells who the members are. It must not be nil.
	Cluster Cluster
	// Settle is how long views must agree; zero means DefaultSettle. It must
	// be the same on all nodes.
	Settle time.Duration
	// Attributes, if not nil, is asked every second for this node's. A change
	// moves children. It must be quick.
	Attributes func() Attributes
	// Moves is how many children this node gives up at a time.
	Moves int
	// Restarts is how often in five seconds a child is restarted here before it
	// is tried elsewhere.
	Restarts int
	// FirstRest and LongestRest are how long this node leaves a child alone that
	// has crashed too often: FirstRest, and twice as long for each further time
	// on any node, up to LongestRest. What happened twice as long ago is
	// forgotten.
	FirstRest, LongestRest time.Duration
	// HandoffTimeout and MaxState bound handing over.
	HandoffTimeout time.Duration
	MaxState       int
	// Leases are for Strong children. Nil means that there can be none.
	Leases Leases
	// Drift bounds by how much the clock of this machine may be slower than
	// that of those that keep the leases: 0.05 is three seconds in a minute.
	Drift float64
	// Observe, if not nil, is called for every step, on one goroutine, which it
	// must not keep waiting.
	Observe func(PlacementEvent)
}

// complete fills in the defaults, and reports every mistake.
func (c *PlacementConfig) complete() error {
	var errs []error
	duration := func(name string, d *time.Duration, or time.Duration) {
		if *d < 0 {
			errs = append(errs, fmt.Errorf("registry: PlacementConfig.%s %v is negative", name, *d))
		}
		if *d == 0 {
			*d = or
		}
	}
	number := func(name string, n *int, or int) {
		if *n < 0 {
			errs = append(errs, fmt.Errorf("registry: PlacementConfig.%s %d is negative", name, *n))
		}
		if *n == 0 {
			*n = or
		}
	}
	if c.Cluster == nil {
		errs = append(errs, errors.New("registry: PlacementConfig.Cluster is nil"))
	}
	duration("Settle", &c.Settle, DefaultSettle)
	duration("FirstRest", &c.FirstRest, DefaultFirstRest)
	duration("LongestRest", &c.LongestRest, DefaultLongestRest)
	duration("HandoffTimeout", &c.HandoffTimeout, DefaultHandoffTimeout)
	number("Moves", &c.Moves, DefaultMoves)
	number("Restarts", &c.Restarts, DefaultRestarts)
	number("MaxState", &c.MaxState, DefaultMaxState)
	if c.Drift < 0 || c.Drift > 0.5 {
		errs = append(errs, fmt.Errorf("registry: PlacementConfig.Drift %v is not between 0 and 0.5", c.Drift))
	}
	if c.Drift == 0 {
		c.Drift = DefaultDrift
	}
	if c.Leases != nil && c.Leases.TTL() <= 0 {
		errs = append(errs, fmt.Errorf("registry: PlacementConfig.Leases have a TTL of %v", c.Leases.TTL()))
	}
	return errors.Join(errs...)
}

// placementName is how the placement of a node is found by [Place].
const placementName = actor.Name("topos.placement")

// StartPlacement returns the start function of a node's placement: a process
// that decides which of the declared children run here, and keeps those.
//
// A placement runs children that are declared for the whole cluster, with
// [Declare] or [Place]. Each runs on one of the nodes that have declared it and
// have the labels it requires, by rendezvous hashing with the nodes' weights;
// see [OwnerByWeight].
//
// Once the nodes that can reach each other have seen the same members, with the
// same attributes, for Settle, exactly one of them runs each child. Before that,
// and across a partition, there may be none or several, each with a [Tenure] of
// another view. When a node is lost its children are started elsewhere; when
// one joins, its share moves to it, few at a time: an instance that moves hands
// over its state, is stopped by its supervisor, with its Shutdown, and only when
// it has ended its successor starts. After a partition, of two instances the one
// stays that is where the child belongs, and takes in the state of the other.
//
// A Strong child needs a lease besides, so that there is at most one anywhere,
// also across a partition and before views have settled; if leases cannot be had
// there is none. See [Leases] and [Tenure].
//
// A child that registers a ClusterName is found by it, or by [Locate]; when a
// partition heals, one of two such instances loses the name at once, with a
// [*ConflictError], before its state can be handed over.
func StartPlacement(cfg PlacementConfig) actor.StartFunc {
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		if err := cfg.complete(); err != nil {
			return actor.PID{}, err
		}
		return supervisor.Start(supervisor.Spec{
			Intensity: supervisor.AtMost(placementRestarts),
			Children: []supervisor.ChildSpec{{
				ID: "placement", Shutdown: supervisor.Infinity,
				Start: actor.Start(func() actor.Actor { return &placement{cfg: cfg} }, placementName, actor.Label("placement")),
			}},
		}, actor.Label("placement"))(parent)
	}
}

// placementRestarts is how often in five seconds the placement itself is
// restarted, with all its children, before the node ends.
const placementRestarts = 3

// withoutTimeout is ctx with a deadline that never comes, if it has none.
func withoutTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, noTimeout)
}
