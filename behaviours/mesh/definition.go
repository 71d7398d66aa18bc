package mesh

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/Masterminds/semver/v3"
)

// Balancing is how the instance for a call is chosen among those that are well.
type Balancing uint8

const (
	// RoundRobin takes one after the other.
	RoundRobin Balancing = iota
	// LeastConnections takes one with the fewest calls under way from this node.
	LeastConnections
	// Random takes any.
	Random
	// Weighted takes each in proportion to its Weight, evenly spread.
	Weighted
	// ConsistentHash takes the same for the same [Key], moves few keys when
	// instances come and go, and passes on what would give one instance more
	// than its share by a quarter: consistent hashing with bounded loads
	// (Mirrokni, Thorup, Zadimoghaddam, SODA 2018). A call without a Key goes
	// anywhere.
	ConsistentHash
	// PowerOfTwo draws two and takes the one that promises the shorter wait, by
	// its latency and the calls under way from this node. Latency is a peak
	// EWMA: it follows a rise at once and a fall slowly.
	PowerOfTwo
)

// String returns the name, such as "round-robin".
func (b Balancing) String() string {
	if int(b) < len(balancings) {
		return balancings[b]
	}
	return fmt.Sprintf("Balancing(%d)", uint8(b))
}

var balancings = [...]string{"round-robin", "least-connections", "random", "weighted", "consistent-hash", "power-of-two"}

// Definition says what a service is. Name must be given; every other zero value
// means its default. It is known on all nodes, except for Health.Check. Where
// instances differ, Balancing, Breaker and Outlier are those of the highest
// Version.
type Definition struct {
	Name string
	// Version is a semantic version. Empty means 0.0.0.
	Version string
	// Endpoints are the names of what the service answers, for people and tools.
	Endpoints []string
	// Metadata is what else is to be known of this instance.
	Metadata map[string]string
	// Weight is this instance's share with Weighted. Zero means 1.
	Weight int
	// Health says how the instance's health is checked, by its own node.
	Health Health `json:"-"`
	// Balancing is how callers choose among the instances.
	Balancing Balancing
	// Breaker says when callers leave an instance, or the service, alone.
	Breaker Breaker
	// Outlier says when a caller's node ejects an instance that does worse than
	// the others.
	Outlier Outlier
}

// Breaker says when a circuit opens. There is one for each instance, and one
// for the whole service, on each node that calls. The zero Breaker has the
// defaults.
type Breaker struct {
	// Off means that there is none.
	Off bool
	// FailureThreshold is how many failures in a row open it. Zero means 5.
	FailureThreshold int
	// ResetTimeout is how long it stays open. Then it is half-open: it lets
	// HalfOpenSuccesses calls pass. Zero means 30 s.
	ResetTimeout time.Duration
	// HalfOpenSuccesses is how many successes in a row close it, where one
	// failure opens it again. Zero means 2.
	HalfOpenSuccesses int
}

// Outlier says when an instance is ejected for a while, as Envoy's outlier
// detection does. The zero Outlier never ejects.
type Outlier struct {
	// Failures is the share of calls, above 0 and up to 1, that must have failed
	// in an interval. Zero means that failures do not eject.
	Failures float64
	// Slower is how many times as long as the median of all instances its calls
	// must have taken on average. Zero means that slowness does not eject.
	Slower float64
	// Interval is how often instances are compared. Zero means 10 s.
	Interval time.Duration
	// Calls is how many calls an instance must have had in the interval to be
	// judged. Zero means 20.
	Calls int
	// Eject is how long it is ejected for the first time; the second time twice
	// as long, and so on. Zero means 30 s.
	Eject time.Duration
	// MaxEjected is the largest share of instances that may be ejected at a time,
	// of more than one instance at least one. Zero means a third.
	MaxEjected float64
}

// enabled says whether anything ejects.
func (o *Outlier) enabled() bool { return o.Failures > 0 || o.Slower > 0 }

func (d Definition) withDefaults() Definition {
	or(&d.Version, "0.0.0")
	or(&d.Weight, 1)
	or(&d.Breaker.FailureThreshold, 5)
	or(&d.Breaker.ResetTimeout, 30*time.Second)
	or(&d.Breaker.HalfOpenSuccesses, 2)
	or(&d.Outlier.Interval, 10*time.Second)
	or(&d.Outlier.Calls, 20)
	or(&d.Outlier.Eject, 30*time.Second)
	or(&d.Outlier.MaxEjected, 1./3)
	d.Health = d.Health.withDefaults()
	d.Metadata = maps.Clone(d.Metadata)
	return d
}

func or[T comparable](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}

// valid returns all mistakes of a definition with defaults.
func (d *Definition) valid() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("mesh: Definition."+format, args...))
		}
	}
	wrong(d.Name == "" || len(d.Name) > maxName, "Name has %d bytes, must have 1 to %d", len(d.Name), maxName)
	if _, err := semver.StrictNewVersion(d.Version); err != nil {
		errs = append(errs, fmt.Errorf("mesh: Definition.Version %q: %w", d.Version, err))
	}
	wrong(int(d.Balancing) >= len(balancings), "Balancing %d is none", d.Balancing)
	wrong(d.Weight < 0 || d.Weight > maxWeight, "Weight %d is not between 0 and %d", d.Weight, maxWeight)
	b, o := d.Breaker, d.Outlier
	wrong(b.FailureThreshold < 0 || b.ResetTimeout < 0 || b.HalfOpenSuccesses < 0, "Breaker %+v has a negative field", b)
	wrong(!(o.Failures >= 0 && o.Failures <= 1), "Outlier.Failures %v is not between 0 and 1", o.Failures)
	wrong(!(o.MaxEjected >= 0 && o.MaxEjected <= 1), "Outlier.MaxEjected %v is not between 0 and 1", o.MaxEjected)
	wrong(!(o.Slower == 0 || o.Slower > 1), "Outlier.Slower %v is neither 0 nor above 1", o.Slower)
	wrong(o.Interval < 0 || o.Calls < 0 || o.Eject < 0, "Outlier %+v has a negative field", o)
	errs = append(errs, d.Health.valid())
	return errors.Join(errs...)
}

const (
	maxName   = 256
	maxWeight = 1 << 20
	// definitionKey is where a definition is in a group's metadata.
	definitionKey = "definition"
)

// metadata is d as a member of a group carries it.
func (d *Definition) metadata() (map[string]string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return map[string]string{definitionKey: string(text)}, nil
}

// readDefinition is the inverse of metadata. What another node says is not
// trusted to be sound.
func readDefinition(metadata map[string]string) (Definition, *semver.Version, error) {
	var d Definition
	if err := json.Unmarshal([]byte(metadata[definitionKey]), &d); err != nil {
		return d, nil, fmt.Errorf("mesh: unreadable definition: %w", err)
	}
	d = d.withDefaults()
	if err := d.valid(); err != nil {
		return d, nil, err
	}
	v, err := semver.StrictNewVersion(d.Version)
	return d, v, err
}
