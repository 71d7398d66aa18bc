package fullmesh

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config].
const (
	// DefaultInterval is the time between two heartbeats: OTP's net_ticktime
	// divided so that a silent node is noticed in seconds, not in a minute.
	DefaultInterval = time.Second
	// DefaultMisses is how many intervals of silence a member may have: one
	// lost heartbeat or one long pause of the garbage collector must not do.
	DefaultMisses = 3
	// DefaultRedialMin and DefaultRedialMax bound the wait before a node that
	// could not be connected is tried again. The maximum is how long a healed
	// partition may go unnoticed. A node whose machine says that nobody
	// listens is tried less often.
	DefaultRedialMin = 100 * time.Millisecond
	DefaultRedialMax = 5 * time.Second
	// DefaultForget is how long a node that is down is tried again: longer
	// than the partitions that are worth healing without an operator.
	DefaultForget = 24 * time.Hour
	// DefaultGossip is the number of intervals between two exchanges of the
	// whole member list with a random member. It repairs what was lost.
	DefaultGossip = 5
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Seeds are addresses at which members of the cluster may be found. None
	// begins a cluster. This node's own address may be among them.
	Seeds []string
	// Interval is the time between heartbeats, Misses how many intervals of
	// silence make a node down.
	Interval time.Duration
	Misses   int
	// RedialMin and RedialMax bound the exponential wait between attempts.
	RedialMin, RedialMax time.Duration
	// Forget is how long a node is tried that is down or known by hearsay.
	Forget time.Duration
	// Gossip is the number of intervals between two exchanges of member lists.
	Gossip int
	// Directed says that somebody else knows who is a member, such as package
	// directory: the core keeps links to those it has Met until they are Lost, and
	// takes nobody's word for others. Its own Up and Down mean nothing then.
	Directed bool
	// Rand jitters waits and picks partners. It must be given, and belongs to
	// the Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Misses = cmp.Or(c.Misses, DefaultMisses)
	c.RedialMin = cmp.Or(c.RedialMin, DefaultRedialMin)
	c.RedialMax = cmp.Or(c.RedialMax, DefaultRedialMax)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.Gossip = cmp.Or(c.Gossip, DefaultGossip)
}

// Valid reports all mistakes in c at once.
func (c *Config) Valid() error {
	var errs []error
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		errs = append(errs, errors.New("fullmesh: Config.Rand is missing"))
	}
	if c.Misses < 0 || c.Gossip < 0 {
		errs = append(errs, fmt.Errorf("fullmesh: Config.Misses %d or Gossip %d is negative", c.Misses, c.Gossip))
	}
	if c.Interval < 0 || c.RedialMin < 0 || c.RedialMax < 0 || c.Forget < 0 {
		errs = append(errs, fmt.Errorf("fullmesh: a duration is negative: Interval %v, RedialMin %v, RedialMax %v, Forget %v",
			c.Interval, c.RedialMin, c.RedialMax, c.Forget))
	}
	if c.RedialMax != 0 && c.RedialMin > c.RedialMax {
		errs = append(errs, fmt.Errorf("fullmesh: Config.RedialMin %v is more than RedialMax %v", c.RedialMin, c.RedialMax))
	}
	return errors.Join(errs...)
}
