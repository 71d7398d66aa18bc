package partition

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/topos-go/topos/actor"
)

// Errors that a [RefusedError] wraps. Give them to topos.Config.Errors, so that
// callers on other nodes recognise them.
var (
	// ErrReadOnly says that this node takes no writes while the cluster is
	// parted.
	ErrReadOnly = errors.New("partition: read-only")
	// ErrLogFull says that too many operations of this node have not been
	// acknowledged by all other nodes.
	ErrLogFull = errors.New("partition: operation log full")
	// ErrUnmerged says that another node has a state that this node's cannot be
	// merged with; see [Diverged].
	ErrUnmerged = errors.New("partition: states have diverged")
)

// RefusedError is why a write was refused. On the node of the guard, errors.As
// finds it; to other nodes only its text and what it wraps travel.
type RefusedError struct {
	Strategy Strategy
	// Here are the nodes of this side, this one included, and Lost those of
	// the others, as this node sees them. Sorted.
	Here, Lost []actor.NodeID
	// Leader is who leads this side; zero if nobody does, or with another
	// Strategy than ElectLeader.
	Leader actor.NodeID
	// Missing are the nodes, sorted, that keep a log full.
	Missing []string
	// Err is ErrReadOnly or ErrLogFull.
	Err error
}

// Error says which strategy refused, and why.
func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: strategy %v, %d of %d nodes on this side", e.Err, e.Strategy, len(e.Here), len(e.Here)+len(e.Lost))
	if e.Strategy == ElectLeader {
		if e.Leader.IsZero() {
			b.WriteString(", no leader")
		} else {
			b.WriteString(", leader " + e.Leader.Name)
		}
	}
	if len(e.Missing) > 0 {
		b.WriteString(", waiting for " + strings.Join(e.Missing, ", "))
	}
	return b.String()
}

// Unwrap returns e.Err.
func (e *RefusedError) Unwrap() error { return e.Err }

// refused is a RefusedError about what v shows.
func (v *view) refused(s Strategy, err error) *RefusedError {
	return &RefusedError{Strategy: s, Here: slices.Clone(v.sideHere()), Lost: v.sideLost(), Err: err}
}
