package adaptive

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/remote"
)

// Number is what a rule can bound.
type Number interface{ ~int | ~int64 | ~float64 }

// Band is a threshold with hysteresis: a condition begins to hold at Enter, and
// holds until Leave, on the other side of it. The zero Band is no condition.
type Band[T Number] struct{ Enter, Leave T }

// Range bounds a number from both sides.
type Range[T Number] struct {
	// Above holds for what is greater than Enter, until it is less than Leave,
	// which is less than Enter, or equal.
	Above Band[T]
	// Below holds for what is less than Enter, until it is greater than Leave,
	// which is greater than Enter, or equal.
	Below Band[T]
}

// holds reports whether v is in r: by the thresholds to leave it if it is in
// there already.
func (r Range[T]) holds(v T, inside bool) bool {
	var none Band[T]
	if r.Above != none {
		if inside && v < r.Above.Leave || !inside && v <= r.Above.Enter {
			return false
		}
	}
	if r.Below != none {
		if inside && v > r.Below.Leave || !inside && v >= r.Below.Enter {
			return false
		}
	}
	return true
}

func (r Range[T]) valid(what string) error {
	var errs []error
	var none Band[T]
	if r.Above != none && cmp.Compare(r.Above.Leave, r.Above.Enter) > 0 {
		errs = append(errs, fmt.Errorf("%s.Above is left at %v, beyond where it is entered, %v", what, r.Above.Leave, r.Above.Enter))
	}
	if r.Below != none && cmp.Compare(r.Below.Leave, r.Below.Enter) < 0 {
		errs = append(errs, fmt.Errorf("%s.Below is left at %v, below where it is entered, %v", what, r.Below.Leave, r.Below.Enter))
	}
	return errors.Join(errs...)
}

// Rule says when a topology is the right one: when all its conditions hold. A
// Rule without conditions always holds.
type Rule struct {
	// Name is for people. It must not be empty.
	Name     string
	Topology remote.Topology

	// Parted wants the cluster to be parted.
	Parted bool
	// Nodes, Rate, P50 and P99 bound the metrics of these names.
	Nodes    Range[int]
	Rate     Range[float64]
	P50, P99 Range[time.Duration]

	// Hold is how long the rule must have been the first that holds before
	// anything is done. Zero means Config.Hold.
	Hold time.Duration
	// Urgent lets the rule act although the topology has just been changed.
	Urgent bool
}

// holds reports whether the conditions of r are met by m.
func (r *Rule) holds(m Metrics) bool {
	inside := m.Topology == r.Topology
	return (!r.Parted || m.Parted) && r.Nodes.holds(m.Nodes, inside) && r.Rate.holds(m.Rate, inside) &&
		r.P50.holds(m.P50, inside) && r.P99.holds(m.P99, inside)
}

// first returns the number of the first rule that holds, -1 if there is none.
func first(rules []Rule, m Metrics) int {
	for i := range rules {
		if rules[i].holds(m) {
			return i
		}
	}
	return -1
}

// Thresholds of DefaultRules.
const (
	// largeNodes is where a full mesh's links, and so its heartbeats, begin to
	// cost more than the overlay's rumors; a cluster stays large until it has
	// shrunk by a fifth.
	largeNodes, stillLargeNodes = 100, 80
	// smallNodes is what every node can be linked with at no cost worth a
	// thought; a cluster stays small until it has grown by a quarter.
	smallNodes, stillSmallNodes = 20, 25
	// nearLatency is the latency within one site, with room.
	nearLatency, stillNearLatency = 10 * time.Millisecond, 15 * time.Millisecond
	// partedHold is short: the overlay reports a partition only when it has
	// settled, and what it needs then are other links.
	partedHold = 2 * time.Second
)

// DefaultRules returns the usual rules. The order matters, and leaves none
// without effect: first what is urgent, then what depends on size only, then
// what depends on latency too, then what remains.
//
//	parted                           gossip         new links all the time find a way round
//	more than 100 nodes              hyparview      a few links each
//	fewer than 20 nodes, near        fullmesh       each hears from each
//	otherwise                        clientserver   predictable
func DefaultRules() []Rule {
	return []Rule{
		{Name: "parted", Topology: remote.Gossip, Parted: true, Hold: partedHold, Urgent: true},
		{Name: "large", Topology: remote.HyParView, Nodes: Range[int]{Above: Band[int]{largeNodes, stillLargeNodes}}},
		{Name: "small and near", Topology: remote.FullMesh,
			Nodes: Range[int]{Below: Band[int]{smallNodes, stillSmallNodes}},
			P50:   Range[time.Duration]{Below: Band[time.Duration]{nearLatency, stillNearLatency}}},
		{Name: "otherwise", Topology: remote.ClientServer},
	}
}
