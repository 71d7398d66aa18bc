package adaptive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// Defaults of Config.
const (
	// DefaultInterval is often enough to see a trend within DefaultHold.
	DefaultInterval = 5 * time.Second
	// DefaultHold is longer than nodes take to be restarted one after the other.
	DefaultHold = 30 * time.Second
	// DefaultCoolDown is several times what a change takes to be carried out, so
	// that what it does to the metrics is over.
	DefaultCoolDown = 2 * time.Minute
	// DefaultSample is enough for a percentile to mean something, and few enough
	// connections for a large cluster.
	DefaultSample = 5
	// DefaultTimeout bounds a change, which only has to be broadcast.
	DefaultTimeout = 10 * time.Second
)

const (
	// maxRules bounds what unreachable has to try.
	maxRules = 8
	// windowSize is how many round trips the percentiles are of.
	windowSize = 128
	// none is no topology.
	none = remote.Topology(255)
)

// Switcher is a cluster whose topology can be changed: a *topos.Node or a
// *remote.Node.
type Switcher interface {
	// Topology returns the present one. It does not wait.
	Topology() remote.Topology
	// SetTopology changes it for all nodes.
	SetTopology(ctx context.Context, t remote.Topology) error
}

// Cluster is what a manager has to know and to do: a *topos.Node. None of its
// methods but SetTopology waits.
type Cluster interface {
	Switcher
	// Members returns the nodes not known to be dead, this one included.
	Members() []actor.NodeID
	// RemoteStats returns what the node's connections have counted.
	RemoteStats() remote.Stats
	// ObserveRemote calls f for what happens in the overlay.
	ObserveRemote(f func(remote.Event)) (cancel func())
}

// Config says how a topology is chosen. Name and Cluster must be given.
type Config struct {
	// Name is the local name of the manager's process, the same on every node.
	// The process must be spawned with it: see [Start].
	Name actor.Name
	// Cluster is measured and changed.
	Cluster Cluster
	// Rules are tried in order; the first that holds counts. Without one that
	// does, everything stays as it is. Nil means [DefaultRules].
	Rules []Rule
	// Interval is how often the metrics are looked at. Zero means
	// DefaultInterval.
	Interval time.Duration
	// Hold is how long the same rule must have been the first that holds. Zero
	// means DefaultHold.
	Hold time.Duration
	// CoolDown is how long nothing is changed after a change, whoever made it,
	// or an attempt. Zero means DefaultCoolDown.
	CoolDown time.Duration
	// Sample is how many other nodes are asked: those that follow in the order
	// of their names. Zero means DefaultSample.
	Sample int
	// Timeout bounds one change. Zero means DefaultTimeout.
	Timeout time.Duration
	// Observe, if not nil, is told what is decided, by the manager's process. It
	// must not wait.
	Observe func(Event)
}

// valid returns everything that is wrong with c.
func (c *Config) valid() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("adaptive: Config.Name is empty"))
	}
	if c.Cluster == nil {
		errs = append(errs, errors.New("adaptive: Config.Cluster is nil"))
	}
	if c.Interval < 0 || c.Hold < 0 || c.CoolDown < 0 || c.Sample < 0 || c.Timeout < 0 {
		errs = append(errs, errors.New("adaptive: Config has a negative Interval, Hold, CoolDown, Sample or Timeout"))
	}
	return errors.Join(append(errs, validRules(c.withDefaults().Rules))...)
}

// validRules returns everything that is wrong with rules.
func validRules(rules []Rule) error {
	if len(rules) > maxRules {
		return fmt.Errorf("adaptive: %d rules, more than %d", len(rules), maxRules)
	}
	var errs []error
	wrong := func(i int, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("adaptive: rule %d, %q: %w", i+1, rules[i].Name, err))
		}
	}
	for i, r := range rules {
		if r.Name == "" {
			wrong(i, errors.New("no name"))
		}
		if r.Hold < 0 {
			wrong(i, errors.New("negative Hold"))
		}
		if err := new(remote.Topology).UnmarshalText([]byte(r.Topology.String())); err != nil {
			wrong(i, err)
		}
		wrong(i, r.Nodes.valid("Nodes"))
		wrong(i, r.Rate.valid("Rate"))
		wrong(i, r.P50.valid("P50"))
		wrong(i, r.P99.valid("P99"))
	}
	for _, i := range unreachable(rules) {
		wrong(i, ErrUnreachable)
	}
	return errors.Join(errs...)
}

// ErrUnreachable is among the errors of a Config with a rule that can never
// count, since rules before it hold whenever it does.
var ErrUnreachable = errors.New("adaptive: rule never counts")

func (c Config) withDefaults() Config {
	if c.Rules == nil {
		c.Rules = DefaultRules()
	}
	or := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	or(&c.Interval, DefaultInterval)
	or(&c.Hold, DefaultHold)
	or(&c.CoolDown, DefaultCoolDown)
	or(&c.Timeout, DefaultTimeout)
	if c.Sample == 0 {
		c.Sample = DefaultSample
	}
	return c
}
