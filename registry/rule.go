package registry

import (
	"cmp"
	"strconv"
	"time"

	"github.com/topos-go/topos/actor"
)

// Claim is one process's claim on a cluster name.
type Claim struct {
	Name string
	PID  actor.PID
	// Registered is when, by the clock of the process's node.
	Registered time.Time
	// Metadata is what [Names.Describe] said. It must not be changed.
	Metadata map[string]string
}

// Rule decides which of two claims on one name stands, when two sides of a
// partition, or two nodes at the same moment, have given it to different
// processes: it reports whether a beats b.
//
// It must be the same on all nodes, look at nothing but the claims, and be
// quick: it is called with a lock held. Where it does not decide, since it says
// the same of a and b as of b and a, or panics, the older claim wins, and of two
// of the same age the one of the lesser node. If it goes round in circles, the
// nodes still agree, because all compare the claims in the order of their nodes.
type Rule func(a, b Claim) bool

// Oldest lets the claim stand that was registered first. It is the default: who
// has held a name for long has more to lose.
func Oldest(a, b Claim) bool { return a.Registered.Before(b.Registered) }

// Newest lets the claim stand that was registered last.
func Newest(a, b Claim) bool { return a.Registered.After(b.Registered) }

// ByMetadata lets the claim stand whose metadata has the greater value for key:
// as a number, if both are, and as text otherwise. No value is less than any.
func ByMetadata(key string) Rule {
	return func(a, b Claim) bool {
		va, ina := a.Metadata[key]
		vb, inb := b.Metadata[key]
		if !ina || !inb {
			return ina && !inb
		}
		x, errx := strconv.ParseFloat(va, 64)
		y, erry := strconv.ParseFloat(vb, 64)
		if errx == nil && erry == nil {
			return x > y
		}
		return va > vb
	}
}

// beats reports whether a stands against b. Of two claims exactly one does.
func (rule Rule) beats(a, b Claim) bool {
	ab, ba := rule.says(a, b), rule.says(b, a)
	if ab != ba {
		return ab
	}
	if c := a.Registered.Compare(b.Registered); c != 0 {
		return c < 0
	}
	return comparePIDs(a.PID, b.PID) < 0
}

// says is what the rule says, false if it panics.
func (rule Rule) says(a, b Claim) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return rule(a, b)
}

// comparePIDs orders processes by node and number.
func comparePIDs(a, b actor.PID) int {
	if a.NodeHandle() != b.NodeHandle() {
		return compareNodes(a.Node(), b.Node())
	}
	return cmp.Compare(a.ID(), b.ID())
}

func compareNodes(a, b actor.NodeID) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}
