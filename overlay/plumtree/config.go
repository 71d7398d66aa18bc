package plumtree

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
	// DefaultLazy is how long announcements are gathered: short against the
	// wait before a graft, long enough for many messages to share one.
	DefaultLazy = 100 * time.Millisecond
	// DefaultFirst is the paper's first timeout: longer than a payload takes to
	// come over the tree after its announcement has come over a shorter path,
	// across continents and with a pause of the garbage collector.
	DefaultFirst = 500 * time.Millisecond
	// DefaultSecond is the paper's second timeout, about one round trip: who was
	// asked answers at once, or not at all.
	DefaultSecond = 250 * time.Millisecond
	// DefaultThreshold is how many hops a path must be shorter to be worth a
	// change of the tree, which may cost a graft. Paths of a thousand nodes are
	// then within two hops of those of flooding.
	DefaultThreshold = 3
	// DefaultExchange is the time between two exchanges of digests with a random
	// neighbor. It only has to find what eager and lazy push have both lost.
	DefaultExchange = 10 * time.Second
	// DefaultRetain is how long a payload lives after its broadcast: longer than
	// a neighbor that has lost its connections takes to find new ones, and
	// several exchanges.
	DefaultRetain = time.Minute
	// DefaultMaxRetained and DefaultMaxBytes bound what is retained: a minute of
	// some busy senders, within a small machine's memory.
	DefaultMaxRetained = 4096
	DefaultMaxBytes    = 16 << 20
	// DefaultMaxPayload is a payload's greatest size: one that must not keep a
	// lane busy for long.
	DefaultMaxPayload = 1 << 20
	// DefaultForget is how long an origin is remembered after its last
	// broadcast: as long as the full mesh goes on dialling it.
	DefaultForget = 24 * time.Hour
	// DefaultMaxOrigins bounds the origins remembered: a thousand nodes, each
	// started four times a day.
	DefaultMaxOrigins = 4096
	// DefaultMaxHoles bounds the holes in what has come of one origin. Each is a
	// message that is late, or lost: more at a time is a flood or an outage.
	DefaultMaxHoles = 64
	// DefaultMaxMissing bounds the messages that are announced and waited for.
	// What finds no place is left to the exchange.
	DefaultMaxMissing = 1024
	// DefaultMaxIHave bounds the announcements in one message, about 20 kB.
	DefaultMaxIHave = 256
	// DefaultMaxDigest bounds the origins in one digest, about 15 kB. More are
	// told in turn.
	DefaultMaxDigest = 256
	// DefaultMaxRepair and DefaultMaxRepairBytes bound what answers one digest.
	DefaultMaxRepair      = 256
	DefaultMaxRepairBytes = 1 << 20
	// DefaultMend is how many each has who was linked to a node of the tree that has
	// crashed, for these parts of the tree to hang together most likely: of one each, 12
	// of 200 messages had to wait, of two none, and three cost twice as much.
	DefaultMend = 2
	// DefaultMaxTrees bounds the origins that have a tree of their own, if
	// PerOrigin is set: a bit for each neighbor, and one flooded message.
	DefaultMaxTrees = 64
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
// Retain, MaxPayload and the limits of messages (MaxHoles, MaxIHave, MaxDigest,
// MaxRepair) must be the same on all nodes: what exceeds them is not taken.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Lazy is how long announcements for a lazy neighbor are gathered, and three times as
	// long while there are new ones all the time.
	Lazy time.Duration
	// First is the wait between the first announcement of a message and the
	// graft, Second that before the next announcer is asked.
	First, Second time.Duration
	// Threshold is by how many hops an announced path must be shorter than the
	// one over which a message came, for the tree to change.
	Threshold int
	// Exchange is the time between two exchanges of digests.
	Exchange time.Duration
	// Retain, MaxRetained and MaxBytes bound the payloads that are kept to
	// answer grafts and digests: by the time since the broadcast, number, size.
	Retain                time.Duration
	MaxRetained, MaxBytes int
	// MaxPayload is the size of the greatest payload, in bytes.
	MaxPayload int
	// Forget is how long an origin is remembered after its last broadcast. It
	// must be at least twice Retain: what is left of a message then is nowhere.
	Forget time.Duration
	// MaxOrigins bounds the origins remembered, MaxHoles the gaps in what has
	// come of each, MaxMissing the messages for which a timer runs: one neighbor
	// may begin a quarter of these.
	MaxOrigins, MaxHoles, MaxMissing int
	// MaxIHave, MaxDigest, MaxRepair and MaxRepairBytes bound messages.
	MaxIHave, MaxDigest, MaxRepair, MaxRepairBytes int
	// Mend is how many lazy neighbors are made eager in a tree that has lost an eager one by
	// a crash, or in which all are lazy when this node broadcasts; if one is a neighbor no more otherwise, one is. Negative: none, as in the
	// paper. Then a broken tree waits for the timeouts.
	Mend int
	// PerOrigin gives up to MaxTrees origins a tree each. See the package.
	PerOrigin bool
	MaxTrees  int
	// Rand jitters the exchange and picks partners. It must be given, and
	// belongs to the Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.Lazy = cmp.Or(c.Lazy, DefaultLazy)
	c.First = cmp.Or(c.First, DefaultFirst)
	c.Second = cmp.Or(c.Second, DefaultSecond)
	c.Threshold = cmp.Or(c.Threshold, DefaultThreshold)
	c.Exchange = cmp.Or(c.Exchange, DefaultExchange)
	c.Retain = cmp.Or(c.Retain, DefaultRetain)
	c.MaxRetained = cmp.Or(c.MaxRetained, DefaultMaxRetained)
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.MaxPayload = cmp.Or(c.MaxPayload, min(DefaultMaxPayload, c.MaxBytes))
	c.Forget = cmp.Or(c.Forget, max(DefaultForget, 2*c.Retain))
	c.MaxOrigins = cmp.Or(c.MaxOrigins, DefaultMaxOrigins)
	c.MaxHoles = cmp.Or(c.MaxHoles, DefaultMaxHoles)
	c.MaxMissing = cmp.Or(c.MaxMissing, DefaultMaxMissing)
	c.MaxIHave = cmp.Or(c.MaxIHave, DefaultMaxIHave)
	c.MaxDigest = cmp.Or(c.MaxDigest, DefaultMaxDigest)
	c.MaxRepair = cmp.Or(c.MaxRepair, DefaultMaxRepair)
	c.MaxRepairBytes = cmp.Or(c.MaxRepairBytes, DefaultMaxRepairBytes)
	c.Mend = cmp.Or(c.Mend, DefaultMend)
	c.MaxTrees = cmp.Or(c.MaxTrees, DefaultMaxTrees)
}

// Valid reports all mistakes in c at once. [New] calls it, after it has put the
// defaults in.
func (c *Config) Valid() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("plumtree: Config."+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		errs = append(errs, errors.New("plumtree: Config.Rand is missing"))
	}
	if c.Lazy < 0 || c.First < 0 || c.Second < 0 || c.Exchange < 0 || c.Retain < 0 || c.Forget < 0 {
		wrong("Lazy %v, First %v, Second %v, Exchange %v, Retain %v or Forget %v is negative",
			c.Lazy, c.First, c.Second, c.Exchange, c.Retain, c.Forget)
	}
	if c.First < c.Lazy {
		wrong("First %v is less than Lazy %v: announcements of one message would come after the graft", c.First, c.Lazy)
	}
	if s := c.settled(); c.Retain < s || c.Exchange < s {
		wrong("Retain %v or Exchange %v is shorter than Lazy, First and twice Second, which are %v", c.Retain, c.Exchange, s)
	}
	if c.Forget < 2*c.Retain {
		wrong("Forget %v is less than twice Retain %v", c.Forget, c.Retain)
	}
	if c.Threshold < 0 || c.MaxRetained < 0 || c.MaxBytes < 0 || c.MaxPayload < 0 {
		wrong("Threshold %d, MaxRetained %d, MaxBytes %d or MaxPayload %d is negative",
			c.Threshold, c.MaxRetained, c.MaxBytes, c.MaxPayload)
	}
	if c.MaxPayload > c.MaxBytes {
		wrong("MaxPayload %d is more than MaxBytes %d", c.MaxPayload, c.MaxBytes)
	}
	if c.MaxOrigins < 0 || c.MaxHoles < 0 || c.MaxMissing < 0 || c.MaxTrees < 0 {
		wrong("MaxOrigins %d, MaxHoles %d, MaxMissing %d or MaxTrees %d is negative",
			c.MaxOrigins, c.MaxHoles, c.MaxMissing, c.MaxTrees)
	}
	if c.MaxIHave < 0 || c.MaxDigest < 0 || c.MaxRepair < 0 || c.MaxRepairBytes < 0 {
		wrong("MaxIHave %d, MaxDigest %d, MaxRepair %d or MaxRepairBytes %d is negative",
			c.MaxIHave, c.MaxDigest, c.MaxRepair, c.MaxRepairBytes)
	}
	return errors.Join(errs...)
}

// settled is the time after a broadcast in which eager and lazy push have done
// what they can: digests let younger messages alone.
func (c *Config) settled() time.Duration { return c.Lazy + c.First + 2*c.Second }

// grace is how long a message that a neighbor retains no more may still come
// from another one: three of them are asked meanwhile.
func (c *Config) grace() time.Duration { return 3 * c.Exchange }

// hopeless is how long a hole may be waited for if nobody says anything of it:
// by then nobody can retain what was broadcast before it was noticed.
func (c *Config) hopeless() time.Duration { return 2 * c.Retain }

// share is how many of the missing messages one neighbor may have announced
// first, so that none takes all the room with what does not exist.
func (c *Config) share() int { return (c.MaxMissing + 3) / 4 }
