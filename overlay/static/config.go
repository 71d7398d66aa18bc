package static

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config].
const (
	// DefaultRedialMin and DefaultRedialMax bound the wait between attempts.
	// The maximum is how long it takes at most to notice that a peer is there
	// again: configured peers are few, so a probe every 10 seconds costs little.
	DefaultRedialMin = 100 * time.Millisecond
	DefaultRedialMax = 10 * time.Second
	// DefaultYield is how long the greater of two nodes leaves dialling to the
	// lesser one: a probe, a dial and a handshake across the world.
	DefaultYield = time.Second
	// DefaultTimeout is how long a node may take to answer an Ask: a round trip
	// across the world, ten times over.
	DefaultTimeout = 3 * time.Second
	// DefaultAsks is how often it is asked before the link is made anew.
	DefaultAsks = 3
	// DefaultDialTimeout is how long a driver may take to answer a Dial or a
	// Probe. It is longer than drivers try, so that a lost answer does no harm
	// for ever.
	DefaultDialTimeout = 15 * time.Second
	// DefaultMaxPeers bounds the peers, those of [overlay.Join] among them: more
	// than anybody writes into a configuration.
	DefaultMaxPeers = 256
	// DefaultMaxGuests bounds the accepted nodes that are not configured.
	DefaultMaxGuests = 64
)

// Accept is whose links are accepted.
type Accept string

// Whose links are accepted. The zero value is Configured.
const (
	// Configured: those of the peers.
	Configured Accept = "configured"
	// Anyone: those of all nodes that have this one for a peer.
	Anyone Accept = "anyone"
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Peers are whom to link to, as "name@host:port" or "host:port". This node
	// may be among them.
	Peers []string
	// Accept is whose links are accepted.
	Accept Accept
	// RedialMin and RedialMax bound the exponential wait between attempts.
	RedialMin, RedialMax time.Duration
	// Yield is how long the greater of two nodes leaves dialling to the other.
	Yield time.Duration
	// Timeout bounds the wait for a node's answer, DialTimeout that for the
	// driver's.
	Timeout, DialTimeout time.Duration
	// Asks is how often a node is asked over one link.
	Asks int
	// MaxPeers and MaxGuests bound what is remembered and held.
	MaxPeers, MaxGuests int
	// Rand jitters waits. It must be given, and belongs to the Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.Accept = cmp.Or(c.Accept, Configured)
	c.RedialMin = cmp.Or(c.RedialMin, DefaultRedialMin)
	c.RedialMax = cmp.Or(c.RedialMax, DefaultRedialMax)
	c.Yield = cmp.Or(c.Yield, DefaultYield)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.Asks = cmp.Or(c.Asks, DefaultAsks)
	c.MaxPeers = cmp.Or(c.MaxPeers, DefaultMaxPeers)
	c.MaxGuests = cmp.Or(c.MaxGuests, DefaultMaxGuests)
}

// Valid reports all mistakes in c at once.
func (c *Config) Valid() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("static: "+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		bad("Config.Rand is missing")
	}
	d := *c
	d.setDefaults()
	if d.Accept != Configured && d.Accept != Anyone {
		bad("Config.Accept %q is neither %q nor %q", c.Accept, Configured, Anyone)
	}
	for _, p := range c.Peers {
		if name, addr := split(p); addr == "" || strings.HasPrefix(name, "@") {
			bad("peer %q is neither an address nor name@address", p)
		}
	}
	if d.RedialMin < 0 || d.RedialMax < 0 || d.Yield < 0 || d.Timeout < 0 || d.DialTimeout < 0 {
		bad("a duration is negative: RedialMin %v, RedialMax %v, Yield %v, Timeout %v, DialTimeout %v",
			c.RedialMin, c.RedialMax, c.Yield, c.Timeout, c.DialTimeout)
	}
	if d.RedialMin > d.RedialMax {
		bad("Config.RedialMin %v is more than RedialMax %v", d.RedialMin, d.RedialMax)
	}
	if d.Asks < 0 || d.MaxPeers < 0 || d.MaxGuests < 0 {
		bad("a limit is negative: Asks %d, MaxPeers %d, MaxGuests %d", c.Asks, c.MaxPeers, c.MaxGuests)
	}
	if len(c.Peers) > d.MaxPeers {
		bad("%d Peers are more than MaxPeers %d", len(c.Peers), d.MaxPeers)
	}
	return errors.Join(errs...)
}

// split reads a peer: "name@host:port", or "host:port" without a name.
func split(peer string) (name, addr string) {
	if _, addr, ok := strings.Cut(peer, "@"); ok {
		return peer, addr
	}
	return "", peer
}
