package sim

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
)

// Notice is how those that are linked to a node learn that it has crashed.
type Notice string

// The ways to learn of a crash.
const (
	// OnSend: the link is reset when something is sent over it, as in the
	// paper. It is what TCP does when a machine has lost its power and is back.
	OnSend Notice = "send"
	// Reset: the machine resets the links at once, as when a process is killed.
	Reset Notice = "reset"
	// Silence: the machine is gone. What is sent is never acknowledged, dials
	// and probes are not answered.
	Silence Notice = "silence"
)

// Defaults of [Config].
const (
	// DefaultNodes is enough for the figures to mean something, in seconds.
	DefaultNodes = 1000
	// DefaultCycles is the paper's, section 5.2.
	DefaultCycles = 50
	// DefaultContacts is how many nodes a joining node knows of: one of the
	// paper's could crash, and then nobody in the world would know of a node
	// that has lost all others.
	DefaultContacts = 3
	// DefaultBroadcasts is a tenth of the paper's, enough for two digits.
	DefaultBroadcasts = 100
	// DefaultSenders is how many nodes send these. Each costs every other node
	// something to remember, so that a thousand would be slow.
	DefaultSenders = 10
	// DefaultDelay is the mean time of a message on its way: a continent.
	DefaultDelay = 25 * time.Millisecond
	// DefaultJitter is by how much of its least time a message may be late.
	DefaultJitter = 0.2
	// DefaultFaultTime is how long churn and partitions last: some cycles.
	DefaultFaultTime = 2 * time.Minute
	// DefaultRetain is plumtree's Retain: longer than it takes to heal.
	DefaultRetain = 2 * time.Minute
	// DefaultHealing is how long the world may take to become sound.
	DefaultHealing = 20 * time.Minute
	// defaultWorkers bounds Workers, if it is not given: what comes of steps is not done at once.
	defaultWorkers = 8
	// DefaultMaxViolations bounds the violations that are reported.
	DefaultMaxViolations = 100
)

// Config says what a run is. Zero values mean the defaults; those without one
// mean none.
type Config struct {
	// Nodes is how many join at first.
	Nodes int
	Seed  uint64
	// Topology is HyParView by default; XBot turns its optimisation on.
	Topology Topology
	XBot     bool
	// Directory has nodes run all that a real one does: with a directory of all
	// members, and the failure detector. Each node remembers each other one then,
	// and each that starts or fails is a broadcast to all: memory and time grow
	// with the square of Nodes.
	Directory bool
	// Causal lets them have the links for broadcasts in causal order that a real node
	// has. Nobody sends such broadcasts here, but each new link costs pings, and in
	// a crowd of nodes that join these are most of all messages.
	Causal bool
	// Contacts is how many random earlier nodes each node is told of as seeds
	// when it starts. If all of these are dead, nobody may know of it any more.
	// If Seeds is given, every node is told of the first Seeds nodes instead;
	// those are started again when the faults have ended, as operators do.
	Contacts, Seeds int
	// Cycles is how many shuffle intervals the views have to settle.
	Cycles int
	// Broadcasts is how many are measured in each phase, of Senders random nodes
	// in turn.
	Broadcasts, Senders int
	// Before is how many of them come before the crash, and as many flooded
	// ones. Broadcasts by default.
	Before int
	// Spacing is the time between two broadcasts after the crash. By default all
	// come within one shuffle interval.
	Spacing time.Duration
	// Kill is the fraction of nodes that crash at once, noticed by Notice,
	// which is OnSend by default.
	Kill   float64
	Notice Notice
	// Flood has broadcasts after the crash flooded, instead of sent over trees.
	Flood bool
	// Faults are what goes wrong, for FaultTime; loss, duplication and delay
	// from the beginning until the world is healed.
	Faults    Faults
	FaultTime time.Duration
	// Retain is plumtree's. Broadcasts are promised to nodes if the world is
	// healed within half of it.
	Retain time.Duration
	// Healing bounds the liveness phase.
	Healing time.Duration
	// MaxViolations bounds the violations that are reported.
	MaxViolations int
	// Progress is told what goes on, a line at a time. Transcript is told of
	// every event. Nil is nobody.
	Progress, Transcript io.Writer

	// Workers are how many goroutines the nodes are divided among: 8 at most by default, and
	// no more than there are processors. They do not change the course of events.
	Workers int

	fewest   int            // of events are taken ahead of time: for tests, else it is fewest
	sabotage func(w *world) // before the last checks: for tests of the checkers
}

// withDefaults returns c with the defaults put in.
func (c Config) withDefaults() Config {
	c.Nodes = cmp.Or(c.Nodes, DefaultNodes)
	c.Topology = cmp.Or(c.Topology, HyParView)
	c.Contacts = cmp.Or(c.Contacts, DefaultContacts)
	c.Cycles = cmp.Or(c.Cycles, DefaultCycles)
	c.Broadcasts = cmp.Or(c.Broadcasts, DefaultBroadcasts)
	c.Senders = cmp.Or(c.Senders, DefaultSenders)
	c.Before = cmp.Or(c.Before, c.Broadcasts)
	c.Spacing = cmp.Or(c.Spacing, cycle/time.Duration(max(1, c.Broadcasts)))
	c.Notice = cmp.Or(c.Notice, OnSend)
	c.Faults.Delay = cmp.Or(c.Faults.Delay, DefaultDelay)
	c.Faults.Jitter = cmp.Or(c.Faults.Jitter, DefaultJitter)
	c.FaultTime = cmp.Or(c.FaultTime, DefaultFaultTime)
	c.Retain = cmp.Or(c.Retain, DefaultRetain)
	c.Healing = cmp.Or(c.Healing, DefaultHealing)
	c.MaxViolations = cmp.Or(c.MaxViolations, DefaultMaxViolations)
	c.fewest = cmp.Or(c.fewest, fewest)
	c.Workers = cmp.Or(c.Workers, min(runtime.GOMAXPROCS(0), defaultWorkers))
	return c
}

// Valid reports all mistakes in c at once.
func (c Config) Valid() error {
	c = c.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("sim: "+format, args...)) }
	if c.Nodes < 2 || c.Nodes > maxNodes {
		bad("Nodes %d is not between 2 and %d", c.Nodes, maxNodes)
	}
	if !slices.Contains(topologies, c.Topology) {
		bad("Topology %q is none of %q", c.Topology, topologies)
	}
	if most := c.Topology.most(); c.Nodes <= maxNodes && c.Nodes > most {
		bad("Nodes %d is more than %d, which a topology %s may have", c.Nodes, most, c.Topology)
	}
	if c.XBot && c.Topology != HyParView {
		bad("XBot is for %s", HyParView)
	}
	if c.Topology == Static && c.Seeds == 0 {
		bad("Seeds must be given for %s", Static)
	}
	if c.Directory && c.Nodes > maxDirectory {
		bad("Nodes %d is more than %d with a directory each", c.Nodes, maxDirectory)
	}
	if c.Notice != OnSend && c.Notice != Reset && c.Notice != Silence {
		bad("Notice %q is none of %s, %s and %s", c.Notice, OnSend, Reset, Silence)
	}
	if !(c.Kill >= 0 && c.Kill < 1) {
		bad("Kill %v is not a fraction from 0 to below 1", c.Kill)
	}
	if most := hyparview.DefaultMaxSeeds; c.Contacts < 0 || c.Contacts > most || c.Seeds < 0 || c.Seeds > most {
		bad("Contacts %d or Seeds %d is not between 0 and %d", c.Contacts, c.Seeds, most)
	}
	if c.Cycles < 0 || c.Broadcasts < 0 || c.Before < 0 || c.Senders < 0 || c.MaxViolations < 0 {
		bad("Cycles %d, Broadcasts %d, Before %d, Senders %d or MaxViolations %d is negative",
			c.Cycles, c.Broadcasts, c.Before, c.Senders, c.MaxViolations)
	}
	if c.Broadcasts > maxBroadcasts || c.Before > maxBroadcasts {
		bad("Broadcasts %d or Before %d is more than %d", c.Broadcasts, c.Before, maxBroadcasts)
	}
	if c.FaultTime < 0 || c.Healing < 0 || c.Spacing < 0 || c.Retain < minRetain {
		bad("FaultTime %v, Healing %v or Spacing %v is negative, or Retain %v less than %v",
			c.FaultTime, c.Healing, c.Spacing, c.Retain, minRetain)
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		bad("Workers %d is not between 1 and %d", c.Workers, maxWorkers)
	}
	return errors.Join(append(errs, c.Faults.valid())...)
}

const (
	maxNodes      = 1 << 20
	maxWorkers    = stretch / fewest
	maxDirectory  = 1 << 14
	maxBroadcasts = 10_000
	minRetain     = time.Minute
)

func (w *world) plumtree(n *node) plumtree.Config {
	return plumtree.Config{Self: n.self, Retain: w.cfg.Retain, Rand: w.newRand()}
}

func (w *world) newRand() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), w.rng.Uint64())) }
