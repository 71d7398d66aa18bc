package causal

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// MaxMembers is the greatest number of incarnations that a label can have at a
// time, the buried included that cannot be forgotten yet: the metadata grows
// with its square.
const MaxMembers = 64

// Defaults of [Config].
const (
	// DefaultMaxWait is how long a message waits for another one: longer than
	// a lost connection takes to be made good, shorter than people's patience.
	DefaultMaxWait = 30 * time.Second
	// DefaultMaxHeld and DefaultMaxBytes bound what one label keeps waiting on
	// one node: a second of a busy label, within a small machine's memory.
	DefaultMaxHeld  = 4096
	DefaultMaxBytes = 16 << 20
	// DefaultForget is how long a buried incarnation may come back: as long as
	// the full mesh goes on dialling it.
	DefaultForget = 24 * time.Hour
)

// Config says what a [Group] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self actor.NodeID
	// MaxWait is the longest time a message is held, after which it is
	// delivered without what it waited for.
	MaxWait time.Duration
	// MaxHeld and MaxBytes bound the messages held. Beyond either, the one that
	// has waited longest is released.
	MaxHeld, MaxBytes int
	// Forget is how long an incarnation that was buried, but not as final, may
	// come back. It must be at least what the overlay thinks, the same on all
	// nodes, and at least twice MaxWait.
	Forget time.Duration
}

func (c *Config) setDefaults() {
	c.MaxWait = cmp.Or(c.MaxWait, DefaultMaxWait)
	c.MaxHeld = cmp.Or(c.MaxHeld, DefaultMaxHeld)
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
}

// Valid reports all mistakes in c at once. [New] calls it, after it has put the
// defaults in.
func (c *Config) Valid() error {
	var errs []error
	if c.Self.IsZero() {
		errs = append(errs, errors.New("causal: Config.Self is missing"))
	} else if !sayable(c.Self) {
		errs = append(errs, fmt.Errorf("causal: Config.Self %v is too long for a stamp", c.Self))
	}
	if c.MaxWait < 0 || c.Forget < 0 {
		errs = append(errs, fmt.Errorf("causal: Config.MaxWait %v or Forget %v is negative", c.MaxWait, c.Forget))
	}
	if c.Forget < c.linger() && c.Forget > 0 {
		errs = append(errs, fmt.Errorf("causal: Config.Forget %v is less than twice MaxWait %v", c.Forget, c.MaxWait))
	}
	if c.MaxHeld < 0 || c.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("causal: Config.MaxHeld %d or MaxBytes %d is negative", c.MaxHeld, c.MaxBytes))
	}
	return errors.Join(errs...)
}
