package partition

import (
	"context"
	"maps"
	"slices"

	"github.com/topos-go/topos/actor"
)

// Status is what a guard knows at one moment.
type Status struct {
	// Parted says whether nodes may be behind a partition, which are Lost. Here
	// are those of this side. Sorted.
	Parted     bool
	Here, Lost []actor.NodeID
	// Leader is who leads, and Epoch and Index the fencing token of this node, if
	// it does, with ElectLeader.
	Leader       actor.NodeID
	Epoch, Index uint64
	// Refuses is why a write would be refused now, nil if it would not be. A log
	// that is full is not among the reasons.
	Refuses *RefusedError
	// Logged is how many operations the log has, and Unstable how many of these
	// are this node's and not known to be everywhere. Missing are the nodes that
	// lack some, sorted.
	Logged, Unstable int
	Missing          []string
}

// GetStatus returns the status of the guard at to, which must be on this node.
// The error is that of actor.Call.
func GetStatus(ctx context.Context, from actor.Caller, to actor.Address) (Status, error) {
	return actor.Call[Status](ctx, from, to, status{})
}

// Forget tells the guard at to, which must be on this node, that the node called
// name ("name@host:port") will not come back: it is behind no partition, and what
// it has not applied need not be kept for it. A node that is not lost is not
// forgotten. The error is that of actor.Call.
//
// If it does come back, it takes over the state of the others; see [Diverged].
func Forget(ctx context.Context, from actor.Caller, to actor.Address, name string) error {
	_, err := actor.Call[any](ctx, from, to, forget{name})
	return err
}

func (g *Guard) status() Status {
	s := Status{Parted: g.view.parted, Here: g.view.sideHere(), Lost: g.view.sideLost(), Refuses: g.refuse()}
	if g.cfg.Strategy == ElectLeader {
		s.Leader = g.leader
		s.Epoch, s.Index, _ = g.cfg.Leader.Token()
	}
	if g.merge != nil {
		s.Logged, s.Unstable, s.Missing = g.merge.log.status()
	}
	return s
}

// status is what Status says of a log.
func (l *oplog) status() (logged, unstable int, missing []string) {
	for _, name := range slices.Sorted(maps.Keys(l.peers)) {
		for o, s := range l.streams {
			if l.peers[name].acked[o] < s.upTo() {
				missing = append(missing, name)
				break
			}
		}
	}
	return l.kept, len(l.stream(l.self).after(l.stable(l.self))), missing
}

// next is the number of this node's next operation.
func (l *oplog) next() uint64 { return l.stream(l.self).upTo() + 1 }
