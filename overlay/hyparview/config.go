package hyparview

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config]. Those without a reason of their own are the paper's, of
// its section 5.1.
const (
	// DefaultActiveSize bounds the active view: a fanout of 4 for broadcasts,
	// and one for where they come from.
	DefaultActiveSize = 5
	// DefaultPassiveSize bounds the passive view: six times the active one, so
	// that after a crash of 80 % of all nodes some six in it are alive.
	DefaultPassiveSize = 30
	// DefaultARWL is how far a join walks through active views: far enough to
	// end anywhere.
	DefaultARWL = 6
	// DefaultPRWL is how many steps a join has left where it is taken into a
	// passive view.
	DefaultPRWL = 3
	// DefaultShuffleActive and DefaultShufflePassive are how many nodes of each
	// view a shuffle carries, besides its origin.
	DefaultShuffleActive  = 3
	DefaultShufflePassive = 4
	// DefaultShuffleInterval is the time between two shuffles, and between two
	// signs of life to each neighbor: it decides how soon passive views forget
	// the dead, and how long two nodes may differ on whether they are
	// neighbors.
	DefaultShuffleInterval = 10 * time.Second
	// DefaultChecks is how many random nodes of the passive view are probed in
	// each of those intervals. Shuffles hand dead nodes on like live ones; with
	// fewer checks than that, dead ones went round for a quarter of an hour
	// after a crash of half of all nodes.
	DefaultChecks = 4
	// DefaultMisses is how many intervals a neighbor may be silent: the driver
	// finds broken links sooner, this is for a neighbor that hangs.
	DefaultMisses = 4
	// DefaultTimeout is how long a node may take to answer a request: a round
	// trip across the world, ten times over.
	DefaultTimeout = 3 * time.Second
	// DefaultDialTimeout is how long a driver may take to answer a Dial. It is
	// longer than drivers try, so that a lost answer does no harm for ever.
	DefaultDialTimeout = 15 * time.Second
	// DefaultRetry is the wait before candidates that had no room are asked
	// again, and before seeds are probed again; that one doubles up to
	// 16 times.
	DefaultRetry = 3 * time.Second
	// DefaultLinger is how long a link that the other side has made, and that
	// serves nothing any more, is kept. The other side closes it at once; this
	// is for one that does not.
	DefaultLinger = 10 * time.Second
	// DefaultRefresh is the time between two swaps of a neighbor for a random
	// node, and between two visits to a seed: how long it takes until the parts
	// of a healed partition find together, paid for with one or two changes of
	// the active view in that time. A node that has just started begins with
	// ShuffleInterval and doubles it: where many join at once, parts may form.
	DefaultRefresh = 5 * time.Minute
	// DefaultForget is how long a node that left, or could not be connected, is
	// not learned again from others: until it is gone from most passive views.
	DefaultForget = 2 * time.Minute
	// DefaultMaxGone bounds how many of those are remembered: about a passive
	// view of them.
	DefaultMaxGone = 32
	// DefaultMaxLinks bounds the links besides those to neighbors, and with
	// them what others can make a node hold: a join of many through one seed
	// needs one for each that is under way.
	DefaultMaxLinks = 32
	// DefaultMaxSeeds bounds the addresses that are remembered.
	DefaultMaxSeeds = 32
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Seeds are addresses at which members of the cluster may be found. None
	// begins a cluster. This node's own address may be among them.
	Seeds []string
	// ActiveSize and PassiveSize bound the two views.
	ActiveSize, PassiveSize int
	// ARWL and PRWL are the active and the passive random walk length. ARWL is
	// a shuffle's TTL too, and the most that is believed of others' TTLs.
	ARWL, PRWL int
	// ShuffleActive and ShufflePassive are how many nodes of each view go into
	// a shuffle; together with its origin, they bound how many are taken out
	// of one.
	ShuffleActive, ShufflePassive int
	// ShuffleInterval is the mean time between shuffles, Misses how many of
	// them a neighbor may be silent.
	ShuffleInterval time.Duration
	Misses          int
	// Checks is how many nodes of the passive view are probed at a time.
	// Negative is none, as in the paper.
	Checks int
	// Timeout bounds the wait for a node's answer, DialTimeout that for the
	// driver's.
	Timeout, DialTimeout time.Duration
	// Retry is the wait before asking again.
	Retry time.Duration
	// Linger is how long an accepted link may serve nothing.
	Linger time.Duration
	// Refresh is the mean time between swaps of a random neighbor. Negative:
	// never, as in the paper.
	Refresh time.Duration
	// Forget is how long a node is not taken back on hearsay.
	Forget time.Duration
	// MaxGone, MaxLinks and MaxSeeds bound what is remembered and held.
	MaxGone, MaxLinks, MaxSeeds int
	// XBot turns the optimisation of link costs on. Nil is off.
	XBot *XBot
	// Pool keeps the nodes that this Core and others know, each of them once, if they are
	// used by one goroutine at a time, as in a simulation. Nil, and this one keeps its own.
	Pool *overlay.NodePool
	// Rand jitters waits and picks nodes. It must be given, and belongs to the
	// Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.ActiveSize = cmp.Or(c.ActiveSize, DefaultActiveSize)
	c.PassiveSize = cmp.Or(c.PassiveSize, DefaultPassiveSize)
	c.ARWL = cmp.Or(c.ARWL, DefaultARWL)
	c.PRWL = cmp.Or(c.PRWL, DefaultPRWL)
	c.ShuffleActive = cmp.Or(c.ShuffleActive, DefaultShuffleActive)
	c.ShufflePassive = cmp.Or(c.ShufflePassive, DefaultShufflePassive)
	c.ShuffleInterval = cmp.Or(c.ShuffleInterval, DefaultShuffleInterval)
	c.Misses = cmp.Or(c.Misses, DefaultMisses)
	c.Checks = cmp.Or(c.Checks, DefaultChecks)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.Retry = cmp.Or(c.Retry, DefaultRetry)
	c.Linger = cmp.Or(c.Linger, DefaultLinger)
	c.Refresh = cmp.Or(c.Refresh, DefaultRefresh)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.MaxGone = cmp.Or(c.MaxGone, DefaultMaxGone)
	c.MaxLinks = cmp.Or(c.MaxLinks, DefaultMaxLinks)
	c.MaxSeeds = cmp.Or(c.MaxSeeds, DefaultMaxSeeds)
}

// Valid reports all mistakes in c at once.
func (c *Config) Valid() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("hyparview: "+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		bad("Config.Rand is missing")
	}
	d := *c
	d.setDefaults()
	if d.ActiveSize < 0 || d.PassiveSize < 0 || d.ShuffleActive < 0 || d.ShufflePassive < 0 || d.Misses < 0 {
		bad("a size is negative: ActiveSize %d, PassiveSize %d, ShuffleActive %d, ShufflePassive %d, Misses %d",
			c.ActiveSize, c.PassiveSize, c.ShuffleActive, c.ShufflePassive, c.Misses)
	}
	if d.PRWL < 0 || d.PRWL > d.ARWL {
		bad("Config.PRWL %d is not between 0 and ARWL %d", d.PRWL, d.ARWL)
	}
	if d.MaxGone < 0 || d.MaxLinks < 0 || d.MaxSeeds < 0 {
		bad("a limit is negative: MaxGone %d, MaxLinks %d, MaxSeeds %d", c.MaxGone, c.MaxLinks, c.MaxSeeds)
	}
	if d.ShuffleInterval < 0 || d.Timeout < 0 || d.DialTimeout < 0 || d.Retry < 0 || d.Linger < 0 || d.Forget < 0 {
		bad("a duration is negative: ShuffleInterval %v, Timeout %v, DialTimeout %v, Retry %v, Linger %v, Forget %v",
			c.ShuffleInterval, c.Timeout, c.DialTimeout, c.Retry, c.Linger, c.Forget)
	}
	if len(c.Seeds) > d.MaxSeeds {
		bad("%d Seeds are more than MaxSeeds %d", len(c.Seeds), d.MaxSeeds)
	}
	if c.XBot != nil {
		errs = append(errs, c.XBot.valid(d.ActiveSize))
	}
	return errors.Join(errs...)
}
