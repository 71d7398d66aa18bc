package strong

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Config says what a [Registry] is. Cluster and Voters must be given; every
// other zero value means its default. Voters, TTL, MaxDrift and Election must
// be the same on all nodes.
type Config struct {
	// Cluster connects this node to the others.
	Cluster Cluster
	// Voters are the whole names, "name@host:port", of the nodes that vote when
	// the registry is used for the first time, 3 or 5 of them (or 1, for a
	// registry that ends with its node). They are configured and never
	// guessed, since who decides about its voters decides about everything.
	// Later the registry replaces those that are lost, by itself.
	Voters []string
	// Dir is the folder of this node's copy of the data, its own. With a
	// folder, a node that is started again is the same voter as before; its
	// name must be the same, too. Empty means in memory: a node that is
	// started again is a new one, which may get a vote later.
	Dir string
	// Bootstrap lets this node, if it has no data and is one of Voters, take
	// part in the founding of the registry, which happens when all Voters have
	// met. With a Dir it can stay set: data say that it is not the first start.
	// Without one, set it at the first start only. Nodes in memory that were
	// all started anew know nothing of who may have taken their places.
	Bootstrap bool
	// Client keeps this node from ever having a copy of the data: it asks the
	// others.
	Client bool

	// TTL is how long a lease lasts from when it was acquired or renewed.
	TTL time.Duration
	// MaxDrift is how much faster, or slower, the clock of one node may run
	// than that of another, as a fraction. Holders give up that much earlier.
	MaxDrift float64
	// Election is how long a leader may be silent before the voters choose
	// another one.
	Election time.Duration
	// Standbys is how many nodes besides the voters have a copy of the data,
	// ready to take a lost voter's place.
	Standbys int
	// ReplaceAfter is how long a voter must have been away for that.
	ReplaceAfter time.Duration
	// SnapshotEvery is after how many entries the log is replaced by a
	// snapshot.
	SnapshotEvery int

	// Logger gets a line for every change of leader and of voters. Nil
	// discards.
	Logger *slog.Logger

	// clock is right, except in tests.
	clock clock
}

// Defaults of [Config].
const (
	// DefaultTTL is long beside an election and the writing of an entry, so
	// that a lease that is renewed thrice in it survives either.
	DefaultTTL = 15 * time.Second
	// DefaultMaxDrift is a hundred times that of a quartz, to cover virtual
	// machines and clocks that are being adjusted.
	DefaultMaxDrift = 0.02
	// DefaultElection is long beside a round trip and the pauses of a busy
	// node.
	DefaultElection = time.Second
	// DefaultStandbys is one that takes a place, and one that does so while the
	// first catches up.
	DefaultStandbys = 2
	// DefaultReplaceAfter is longer than it takes to start a program again.
	DefaultReplaceAfter = 30 * time.Second
	// DefaultSnapshotEvery keeps the log at some megabytes.
	DefaultSnapshotEvery = 16384
)

const (
	minElection = 20 * time.Millisecond
	maxVoters   = 9
	// ttlElections is how many elections a TTL must be long: one is held, and
	// then a renewal must come through.
	ttlElections = 3
)

// complete sets defaults and returns everything that is wrong.
func (c *Config) complete() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("strong: Config."+format, args...)) }
	if c.Cluster == nil {
		wrong("Cluster is nil")
	}
	c.Voters = slices.Sorted(slices.Values(c.Voters))
	switch {
	case len(c.Voters) == 0:
		wrong("Voters has no names")
	case len(c.Voters)%2 == 0 || len(c.Voters) > maxVoters:
		wrong("Voters has %d names; it must be an odd number up to %d", len(c.Voters), maxVoters)
	}
	for i, name := range c.Voters {
		if name == "" || i > 0 && name == c.Voters[i-1] {
			wrong("Voters has %q empty or twice", name)
		}
	}
	for _, d := range []struct {
		what  string
		value *time.Duration
		def   time.Duration
	}{{"TTL", &c.TTL, DefaultTTL}, {"Election", &c.Election, DefaultElection}, {"ReplaceAfter", &c.ReplaceAfter, DefaultReplaceAfter}} {
		if *d.value < 0 {
			wrong("%s %v is negative", d.what, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.Election > 0 && c.Election < minElection {
		wrong("Election %v is less than %v", c.Election, minElection)
	}
	if c.TTL > 0 && c.TTL < ttlElections*c.Election {
		wrong("TTL %v is less than %d times Election %v", c.TTL, ttlElections, c.Election)
	}
	if c.MaxDrift == 0 {
		c.MaxDrift = DefaultMaxDrift
	}
	if !(c.MaxDrift > 0 && c.MaxDrift < 0.5) {
		wrong("MaxDrift %v is not between 0 and 0.5", c.MaxDrift)
	}
	errs = append(errs, c.completeCounts()...)
	if c.Client && (c.Dir != "" || c.Bootstrap) {
		wrong("Client has a Dir, or Bootstrap")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

func (c *Config) completeCounts() (errs []error) {
	for _, d := range []struct {
		what  string
		value *int
		def   int
	}{{"Standbys", &c.Standbys, DefaultStandbys}, {"SnapshotEvery", &c.SnapshotEvery, DefaultSnapshotEvery}} {
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("strong: Config.%s %d is negative", d.what, *d.value))
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return errs
}
