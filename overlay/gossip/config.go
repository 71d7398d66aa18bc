package gossip

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
)

// MinFanout is the least Fanout that is chosen by the number of members: with
// three random links each, a graph is connected, and one more may be lost.
const MinFanout = 4

// Defaults of [Config].
const (
	// DefaultMaxFanout bounds the Fanout that is chosen by the number of members:
	// ln(n)+2 of a million.
	DefaultMaxFanout = 16
	// DefaultRefresh is the time between two changes of the sample. A member
	// gets to know a parted one within some of them; each costs a link and two
	// changes of neighbors.
	DefaultRefresh = 30 * time.Second
	// DefaultMisses is how many of those a neighbor may be silent: the driver
	// finds broken links sooner, this is for a neighbor that hangs.
	DefaultMisses = 4
	// DefaultSample is how many nodes a message names, and how many are taken out
	// of one: a node without a directory has its Fanout together after two
	// messages.
	DefaultSample = 8
	// DefaultAttempts is how often a member is dialled in vain: a single lost
	// packet must not do, and more only delay the others.
	DefaultAttempts = 3
	// DefaultRedialMin and DefaultRedialMax bound the wait before somebody who
	// could not be reached, or had no room, is tried again.
	DefaultRedialMin = 500 * time.Millisecond
	DefaultRedialMax = 30 * time.Second
	// DefaultTimeout is how long a node may take to answer an Ask: a round trip
	// across the world, ten times over.
	DefaultTimeout = 3 * time.Second
	// DefaultDialTimeout is how long a driver may take to answer a Dial or a
	// Probe. It is longer than drivers try, so that a lost answer does no harm
	// for ever.
	DefaultDialTimeout = 15 * time.Second
	// DefaultLinger is how long a link that the other side has made, and that
	// serves nothing, is kept.
	DefaultLinger = 10 * time.Second
	// DefaultForget is how long one that cannot be reached is probed: longer
	// than the partitions that are worth healing without an operator.
	DefaultForget = 24 * time.Hour
	// DefaultMaxFaded bounds how many of those are remembered. Half a cluster
	// remembers random ones of the other half, so few each are enough.
	DefaultMaxFaded = 64
	// DefaultMaxKnown bounds the members that are known: a random sample of more
	// than that is as good as all of them.
	DefaultMaxKnown = 4096
	// DefaultMaxLinks bounds the links besides those to neighbors.
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
	// Fanout is how many neighbors a node looks for; it accepts twice as many.
	// 0 is by the number of members known, up to MaxFanout.
	Fanout, MaxFanout int
	// Refresh is the mean time between two changes of the sample, Misses how many
	// of them a neighbor may be silent.
	Refresh time.Duration
	Misses  int
	// Sample is how many nodes are named, and believed, in a message.
	Sample int
	// Attempts is how often a member is dialled in vain before it fades.
	Attempts int
	// RedialMin and RedialMax bound the exponential wait between attempts.
	RedialMin, RedialMax time.Duration
	// Timeout bounds the wait for a node's answer, DialTimeout that for the
	// driver's.
	Timeout, DialTimeout time.Duration
	// Linger is how long an accepted link may serve nothing.
	Linger time.Duration
	// Forget is how long a faded node is probed.
	Forget time.Duration
	// MaxFaded, MaxKnown, MaxLinks and MaxSeeds bound what is remembered and
	// held.
	MaxFaded, MaxKnown, MaxLinks, MaxSeeds int
	// Rand draws the sample and jitters waits. It must be given, and belongs to
	// the Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.MaxFanout = cmp.Or(c.MaxFanout, max(DefaultMaxFanout, c.Fanout))
	c.Refresh = cmp.Or(c.Refresh, DefaultRefresh)
	c.Misses = cmp.Or(c.Misses, DefaultMisses)
	c.Sample = cmp.Or(c.Sample, DefaultSample)
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.RedialMin = cmp.Or(c.RedialMin, DefaultRedialMin)
	c.RedialMax = cmp.Or(c.RedialMax, DefaultRedialMax)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.Linger = cmp.Or(c.Linger, DefaultLinger)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.MaxFaded = cmp.Or(c.MaxFaded, DefaultMaxFaded)
	c.MaxKnown = cmp.Or(c.MaxKnown, DefaultMaxKnown)
	c.MaxLinks = cmp.Or(c.MaxLinks, DefaultMaxLinks)
	c.MaxSeeds = cmp.Or(c.MaxSeeds, DefaultMaxSeeds)
}

// Valid reports all mistakes in c at once.
func (c *Config) Valid() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("gossip: "+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		bad("Config.Rand is missing")
	}
	d := *c
	d.setDefaults()
	if d.Sample > 256 {
		bad("Sample %d is more than one message has", d.Sample)
	}
	if d.Fanout < 0 || d.Misses < 0 || d.Sample < 0 || d.Attempts < 0 {
		bad("a count is negative: Fanout %d, Misses %d, Sample %d, Attempts %d", c.Fanout, c.Misses, c.Sample, c.Attempts)
	}
	if d.MaxFanout < max(d.Fanout, 1) {
		bad("Config.MaxFanout %d is less than Fanout %d, or than 1", d.MaxFanout, d.Fanout)
	}
	if d.Refresh < 0 || d.Timeout < 0 || d.DialTimeout < 0 || d.Linger < 0 || d.Forget < 0 {
		bad("a duration is negative: Refresh %v, Timeout %v, DialTimeout %v, Linger %v, Forget %v",
			c.Refresh, c.Timeout, c.DialTimeout, c.Linger, c.Forget)
	}
	if d.RedialMin < 0 || d.RedialMin > d.RedialMax {
		bad("Config.RedialMin %v is negative, or more than RedialMax %v", d.RedialMin, d.RedialMax)
	}
	if d.MaxFaded < 0 || d.MaxKnown < 0 || d.MaxLinks < 0 || d.MaxSeeds < 0 {
		bad("a limit is negative: MaxFaded %d, MaxKnown %d, MaxLinks %d, MaxSeeds %d", c.MaxFaded, c.MaxKnown, c.MaxLinks, c.MaxSeeds)
	}
	if len(c.Seeds) > d.MaxSeeds {
		bad("%d Seeds are more than MaxSeeds %d", len(c.Seeds), d.MaxSeeds)
	}
	return errors.Join(errs...)
}
