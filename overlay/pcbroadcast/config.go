package pcbroadcast

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config].
const (
	// DefaultTimeout is how long a ping may be on its way: some hops over the
	// slowest links there are, with queues in them.
	DefaultTimeout = 2 * time.Second
	// DefaultRounds is how many pings are lost before it counts as certain that
	// there is no way: by then the last of them has had 64 hops, and no message
	// that is still on its way is likely to come.
	DefaultRounds = 5
	// DefaultHops is how far the first ping of a link goes. Active views change
	// mostly between nodes that have a neighbour's neighbour in common, of which
	// the paper says that four hops are enough; each further ping goes twice as
	// far.
	DefaultHops = 4
	// DefaultRest is how long a link rests that is too slow for its buffer: long
	// enough for a burst to end, and for the overlay to choose another link.
	DefaultRest = time.Minute
	// DefaultMaxBuffer is how many messages wait for a link to become safe.
	// Each overflow costs one ping, so pings are at most as many as a
	// thousandth of the traffic.
	DefaultMaxBuffer = 1024
	// DefaultMaxLinks is more than any active view, and bounds the buffers.
	DefaultMaxLinks = 64
	// DefaultMaxOrigins is how many names are remembered that have broadcast:
	// some megabytes.
	DefaultMaxOrigins = 1 << 14
	// DefaultMaxPings is of how many nodes it is remembered which of their pings
	// were passed on. One that is forgotten costs some messages, not more.
	DefaultMaxPings = 1024
	// DefaultForget is how long nothing may be heard of an origin before it is
	// forgotten: far longer than a copy of a message can be on its way.
	DefaultForget = 24 * time.Hour
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Timeout is how long a ping is waited for, Rounds how many are.
	Timeout time.Duration
	Rounds  int
	// Hops is how far the first ping of a link goes; each further one goes twice
	// as far.
	Hops int
	// Direct is how many marks a node may have for it to [Ask] a new link's other end
	// at once, which is one message with all of them, where a ping is one for each of
	// some hundred links. Zero is none, as in the paper: pings come first.
	Direct int
	// Rest is how long a link rests after Rounds in which pings came back, but
	// too late for MaxBuffer.
	Rest time.Duration
	// MaxBuffer is how many messages wait for one link, MaxLinks how many links
	// there are at a time.
	MaxBuffer, MaxLinks int
	// MaxOrigins is how many names of nodes are remembered that have broadcast,
	// this one's included. It must be the same on all nodes.
	MaxOrigins int
	// MaxPings is of how many nodes it is remembered which pings have come.
	MaxPings int
	// Forget is after how long without a message an origin is forgotten. No copy
	// of a message may be on its way for so long: over all hops together, links
	// must have broken before.
	Forget time.Duration
}

func (c *Config) setDefaults() {
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Rounds = cmp.Or(c.Rounds, DefaultRounds)
	c.Hops = cmp.Or(c.Hops, DefaultHops)
	c.Rest = cmp.Or(c.Rest, DefaultRest)
	c.MaxBuffer = cmp.Or(c.MaxBuffer, DefaultMaxBuffer)
	c.MaxLinks = cmp.Or(c.MaxLinks, DefaultMaxLinks)
	c.MaxOrigins = cmp.Or(c.MaxOrigins, DefaultMaxOrigins)
	c.MaxPings = cmp.Or(c.MaxPings, DefaultMaxPings)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
}

// trial is how long a link is tried before it is opened by force.
func (c *Config) trial() time.Duration { return c.Timeout * time.Duration(c.Rounds) }

// Valid reports all mistakes in c at once. [New] calls it, after it has put the
// defaults in.
func (c *Config) Valid() error {
	var errs []error
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Timeout < 0 || c.Rest < 0 || c.Forget < 0 {
		errs = append(errs, fmt.Errorf("pcbroadcast: a duration is negative: Timeout %v, Rest %v, Forget %v", c.Timeout, c.Rest, c.Forget))
	}
	if c.Rounds < 0 || c.Rounds > maxRounds {
		errs = append(errs, fmt.Errorf("pcbroadcast: Config.Rounds %d is not within 1 and %d", c.Rounds, maxRounds))
	}
	if c.Hops < 0 || c.Hops > maxHops {
		errs = append(errs, fmt.Errorf("pcbroadcast: Config.Hops %d is not within 1 and %d", c.Hops, maxHops))
	}
	if c.MaxBuffer < 0 || c.MaxLinks < 0 || c.MaxOrigins < 0 || c.MaxPings < 0 || c.Direct < 0 {
		errs = append(errs, fmt.Errorf("pcbroadcast: a limit is negative: MaxBuffer %d, MaxLinks %d, MaxOrigins %d, MaxPings %d, Direct %d",
			c.MaxBuffer, c.MaxLinks, c.MaxOrigins, c.MaxPings, c.Direct))
	}
	if c.MaxOrigins == 1 {
		errs = append(errs, errors.New("pcbroadcast: Config.MaxOrigins 1 leaves no place for another node"))
	}
	if c.Forget > 0 && c.Forget < 2*c.trial() {
		errs = append(errs, fmt.Errorf("pcbroadcast: Config.Forget %v is less than twice Timeout times Rounds, %v", c.Forget, c.trial()))
	}
	return errors.Join(errs...)
}

const (
	// maxRounds and maxHops keep what doubles from overflowing.
	maxRounds = 1000
	maxHops   = 1 << 16
)
