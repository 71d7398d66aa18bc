package clientserver

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Role is what a node is to be.
type Role string

// Roles. The zero value is Auto.
const (
	// Auto is a client, unless it is selected.
	Auto Role = "auto"
	// Server is always a server.
	Server Role = "server"
	// Client is never a server.
	Client Role = "client"
)

// Defaults of [Config].
const (
	// DefaultServers is how many servers are selected: an odd number, so that
	// of two parts of them one has the majority, and the least of which one may
	// fail.
	DefaultServers = 3
	// DefaultClientLinks is how many servers a client is linked to: one may fail
	// without anybody being cut off.
	DefaultClientLinks = 2
	// DefaultInterval is the time between two signs of life to each neighbor, with
	// which everything is repeated that may have been lost, and between two looks
	// at a random member.
	DefaultInterval = 10 * time.Second
	// DefaultMisses is how many of those a neighbor may be silent: the driver
	// finds broken links sooner, this is for a neighbor that hangs.
	DefaultMisses = 4
	// DefaultSettle is how long servers must be missing, or be too many, before
	// somebody is selected or steps down: a round trip across the world, several
	// times over, as others may know better.
	DefaultSettle = time.Second
	// DefaultPatience is how long a node with seeds looks for others before it
	// begins a cluster of its own: longer than the seeds take to start.
	DefaultPatience = 10 * time.Second
	// DefaultYield is how long the greater of two servers leaves dialling to the
	// lesser one.
	DefaultYield = time.Second
	// DefaultAttempts is how often a member is dialled in vain before it counts
	// as absent: a single lost packet must not do.
	DefaultAttempts = 3
	// DefaultRedialMin and DefaultRedialMax bound the wait before a node that
	// could not be connected is tried again.
	DefaultRedialMin = 100 * time.Millisecond
	DefaultRedialMax = 20 * time.Second
	// DefaultTimeout is how long a node may take to answer an Ask: a round trip
	// across the world, ten times over.
	DefaultTimeout = 3 * time.Second
	// DefaultDialTimeout is how long a driver may take to answer a Dial or a
	// Probe. It is longer than drivers try, so that a lost answer does no harm
	// for ever.
	DefaultDialTimeout = 15 * time.Second
	// DefaultLinger is how long a link is kept that serves nothing any more, if
	// it is for the other side to close it.
	DefaultLinger = 5 * time.Second
	// DefaultForget is how long a member that is absent is tried, and then not
	// believed to be there: a directory says sooner that it is lost.
	DefaultForget = 10 * time.Minute
	// DefaultBury is how long nothing is believed of a member that is lost but
	// what proves that it is there: until others know that, too, or have forgotten
	// it because no server names it.
	DefaultBury = 3 * time.Minute
	// DefaultMaxClients bounds the clients of one server: three servers for
	// some thousands.
	DefaultMaxClients = 2048
	// DefaultMaxMembers bounds the members that are known.
	DefaultMaxMembers = 16384
	// DefaultMaxClaims bounds the claims that are remembered, and so the servers.
	DefaultMaxClaims = 128
	// DefaultMaxLinks bounds the links besides those to neighbors: a start of many
	// through one seed needs one for each that is under way.
	DefaultMaxLinks = 256
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
	// Role is what this node is.
	Role Role
	// Servers is how many servers are selected among those with the Role Auto. It
	// should be odd, and the same for all, as MaxServers should.
	Servers int
	// MaxServers is above how many servers those that are least senior step down;
	// 0 is twice as many as Servers, so that the servers of two parts that have
	// found together all stay. Negative: none ever steps down.
	MaxServers int
	// ClientLinks is how many servers a client is linked to.
	ClientLinks int
	// Interval is the mean time between signs of life, Misses how many of them a
	// neighbor may be silent.
	Interval time.Duration
	Misses   int
	// Settle and Patience are the waits before a change of servers, and before
	// a node that finds nobody begins a cluster.
	Settle, Patience time.Duration
	// Yield is how long the greater of two servers leaves dialling to the other.
	Yield time.Duration
	// Attempts is how often a member is dialled in vain before it is absent.
	Attempts int
	// RedialMin and RedialMax bound the exponential wait between attempts.
	RedialMin, RedialMax time.Duration
	// Timeout bounds the wait for a node's answer, DialTimeout that for the
	// driver's.
	Timeout, DialTimeout time.Duration
	// Linger is how long a link that serves nothing is kept for the other side.
	Linger time.Duration
	// Forget is how long an absent member is tried, Bury how long hearsay of a lost
	// one is not believed.
	Forget, Bury time.Duration
	// MaxClients, MaxMembers, MaxClaims, MaxLinks and MaxSeeds bound what is
	// held and remembered.
	MaxClients, MaxMembers, MaxClaims, MaxLinks, MaxSeeds int
	// Rand jitters waits and picks members. It must be given, and belongs to the
	// Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.Role = cmp.Or(c.Role, Auto)
	c.Servers = cmp.Or(c.Servers, DefaultServers)
	c.MaxServers = cmp.Or(c.MaxServers, 2*c.Servers)
	c.ClientLinks = cmp.Or(c.ClientLinks, DefaultClientLinks)
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Misses = cmp.Or(c.Misses, DefaultMisses)
	c.Settle = cmp.Or(c.Settle, DefaultSettle)
	c.Patience = cmp.Or(c.Patience, DefaultPatience)
	c.Yield = cmp.Or(c.Yield, DefaultYield)
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.RedialMin = cmp.Or(c.RedialMin, DefaultRedialMin)
	c.RedialMax = cmp.Or(c.RedialMax, DefaultRedialMax)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.Linger = cmp.Or(c.Linger, DefaultLinger)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.Bury = cmp.Or(c.Bury, DefaultBury)
	c.MaxClients = cmp.Or(c.MaxClients, DefaultMaxClients)
	c.MaxMembers = cmp.Or(c.MaxMembers, DefaultMaxMembers)
	c.MaxClaims = cmp.Or(c.MaxClaims, DefaultMaxClaims)
	c.MaxLinks = cmp.Or(c.MaxLinks, DefaultMaxLinks)
	c.MaxSeeds = cmp.Or(c.MaxSeeds, DefaultMaxSeeds)
}

// Valid reports all mistakes in c at once.
func (c *Config) Valid() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("clientserver: "+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		bad("Config.Rand is missing")
	}
	d := *c
	d.setDefaults()
	if d.Role != Auto && d.Role != Server && d.Role != Client {
		bad("Config.Role %q is none of %q, %q and %q", c.Role, Auto, Server, Client)
	}
	if d.MaxClaims > 1024 {
		bad("MaxClaims %d is more than one message has", d.MaxClaims)
	}
	if d.Servers < 0 || d.MaxServers >= 0 && d.MaxServers < d.Servers || d.MaxClaims < max(d.Servers, d.MaxServers) {
		bad("it must be that 0 < Servers %d <= MaxServers %d <= MaxClaims %d", d.Servers, d.MaxServers, d.MaxClaims)
	}
	if d.ClientLinks < 0 || d.Misses < 0 || d.Attempts < 0 {
		bad("a count is negative: ClientLinks %d, Misses %d, Attempts %d", c.ClientLinks, c.Misses, c.Attempts)
	}
	if d.Interval < 0 || d.Settle < 0 || d.Patience < 0 || d.Yield < 0 || d.Timeout < 0 || d.DialTimeout < 0 || d.Linger < 0 {
		bad("a duration is negative: Interval %v, Settle %v, Patience %v, Yield %v, Timeout %v, DialTimeout %v, Linger %v",
			c.Interval, c.Settle, c.Patience, c.Yield, c.Timeout, c.DialTimeout, c.Linger)
	}
	if d.RedialMin < 0 || d.RedialMin > d.RedialMax || d.Forget < 0 || d.Bury < 0 {
		bad("RedialMin %v is more than RedialMax %v, or one of them, Forget %v or Bury %v is negative", d.RedialMin, d.RedialMax, d.Forget, d.Bury)
	}
	if d.MaxClients < 0 || d.MaxMembers < 0 || d.MaxLinks < 0 || len(c.Seeds) > d.MaxSeeds {
		bad("a limit is negative, or there are more Seeds: MaxClients %d, MaxMembers %d, MaxLinks %d, MaxSeeds %d",
			c.MaxClients, c.MaxMembers, c.MaxLinks, d.MaxSeeds)
	}
	return errors.Join(errs...)
}
