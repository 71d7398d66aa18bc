package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

// Topology decides whom a node is linked to, and with whom of those it exchanges
// broadcasts, by [overlay.NeighborUp] and [overlay.NeighborDown]. Its
// [overlay.Up] and [overlay.Down] are left alone: the directory knows members.
type Topology interface {
	Step(now time.Time, ev overlay.Event) overlay.Effects
	Tick(now time.Time) overlay.Effects
	Deadline() time.Time
}

const (
	// DefaultOverlap is how long two topologies are at work when one takes the place
	// of the other: a broadcast of the change is everywhere in a fraction of it.
	DefaultOverlap = 5 * time.Second
	// DefaultMaxOverlap is when the earlier one ends, even if the later one has no
	// neighbor yet: several exchanges of directories, by which everybody knows.
	DefaultMaxOverlap = time.Minute
)

// DefaultStride is in how many turns the failure detector asks a node that is no
// neighbor, once: who has a neighbor is found by that, and the others within some
// seconds more, by one of all.
const DefaultStride = 10

// DefaultDirect is how many nodes have broadcast in causal order until new links are
// proven by a ping: what says as much directly has some ten kilobytes then, while a
// ping is passed on by some hundred nodes.
const DefaultDirect = 256

// DefaultHush is how long an obituary may wait for somebody else's: several times as
// long as a broadcast takes, so that of five who know of a crash two broadcast it, and in
// a large cluster still if many have crashed and all have much to do.
const DefaultHush = 2 * time.Second

// Config says what a [Core] is.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Topology is for this Core only. It must be given.
	Topology Topology
	// Wiring is what Topology is called, and Wire makes the one that is called
	// otherwise, when the cluster is to have it. Without Wire nothing changes.
	Wiring string
	Wire   func(wiring string) (Topology, error)
	// Overlap is how long the earlier topology stays at least, and MaxOverlap at
	// most, until the later one has a neighbor. Each node adds up to another Overlap, so
	// that no node loses all links of the earlier one at once. Zero means their defaults.
	Overlap, MaxOverlap time.Duration
	// Hush is how long an obituary waits at most until it is broadcast, in case
	// somebody else does; less in a small cluster, and three times as long more where a
	// node has only heard that others had no answer. Among 256 members or more it is sent
	// to one of the three lowest instead, who wait for half of that and broadcast
	// together what has come; and so is it that a node has come, for which they wait a
	// fifth of a second at most. A death that was heard of in an exchange waits as well,
	// for four times as long more if it is recent. Negative: nothing waits, and nothing is
	// left to others.
	Hush time.Duration
	// Directory, Swim, Plumtree and Causal say what the other parts are. Their Self
	// and Rand are filled in. Causal.MaxLinks must be as many neighbors as there may
	// be in any topology: a link that is one too many carries nothing. Swim sends no
	// messages for its news only, unless its Fanout says so: they are broadcast. Its
	// Stride is DefaultStride, and Twice and Discreet are set, as a suspicion is told to all.
	// Causal's Direct is DefaultDirect.
	Directory directory.Config
	Swim      swim.Config
	Plumtree  plumtree.Config
	Causal    pcbroadcast.Config
	// Encode and Decode turn what the parts broadcast, a [directory.Broadcast] or
	// a [swim.Fact], into bytes and back. They must be given. What Decode refuses
	// is counted.
	Encode func(v any) ([]byte, error)
	Decode func(b []byte) (any, error)
	// Rand is what the parts draw from. It must be given, and belongs to the Core
	// from then on.
	Rand *rand.Rand
}

// Valid reports all mistakes in c at once, but those of the parts' own Configs.
func (c *Config) Valid() error {
	var errs []error
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Topology == nil || c.Encode == nil || c.Decode == nil || c.Rand == nil {
		errs = append(errs, errors.New("cluster: Config.Topology, Encode, Decode or Rand is missing"))
	}
	if c.Overlap < 0 || c.MaxOverlap < 0 {
		errs = append(errs, fmt.Errorf("cluster: a duration is negative: Overlap %v, MaxOverlap %v", c.Overlap, c.MaxOverlap))
	}
	return errors.Join(errs...)
}

func (c *Config) setDefaults() {
	c.Hush = cmp.Or(c.Hush, DefaultHush)
	c.Overlap = cmp.Or(c.Overlap, DefaultOverlap)
	c.MaxOverlap = max(cmp.Or(c.MaxOverlap, DefaultMaxOverlap), c.Overlap)
	if c.Swim.Fanout == 0 {
		c.Swim.Fanout = -1
	}
	c.Causal.Direct = cmp.Or(c.Causal.Direct, DefaultDirect)
	c.Swim.Twice, c.Swim.Discreet = true, true
	c.Swim.Stride = cmp.Or(c.Swim.Stride, DefaultStride)
}

// fork returns a source of randomness for one part.
func (c *Config) fork() *rand.Rand { return rand.New(rand.NewPCG(c.Rand.Uint64(), c.Rand.Uint64())) }
