package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// Child is a child that is declared for the whole cluster.
type Child struct {
	// Spec says how it is started, restarted and stopped. Its ID means the same
	// child on every node. Start gets a [Tenure] as its last argument. A child
	// that is not Permanent and has ended for good, or returns actor.ErrIgnore
	// from its start, is done: it is started again only if the node where it
	// ended is lost or gives it up.
	Spec supervisor.ChildSpec
	// Strong says that a lease is needed to run it: see PlacementConfig.Leases.
	Strong bool
	// Requires are labels that a node must have to run it.
	Requires map[string]string
	// Handoff, if not nil, carries state from an instance to its successor.
	Handoff Handoff
}

// Tenure is what an instance of a placed child is told when it starts, as the
// last argument of its start function: with actor.StartWith, say.
type Tenure struct {
	// Child is its ID.
	Child string
	// View tells the agreement of nodes under which it was started from others.
	// Two instances that run at the same time, because their nodes cannot see
	// each other, have different Views.
	View uint64
	// Token is that of the lease of a Strong child.
	Token Token
	// State is what the last instance has handed over, nil if none has. After a
	// restart of this instance it is the same again.
	State []byte
}

// Handoff carries the state of a child from instance to instance. Its methods
// are called in a process of their own, on the node of the instance, with a
// context that ends after PlacementConfig.HandoffTimeout. An error, a panic or
// more than MaxState bytes mean that nothing is handed over, and are told by an
// event; the move goes on.
type Handoff interface {
	// Give returns the state of an instance that is about to be stopped, most
	// often by a call. The successor has it in its Tenure.
	Give(ctx context.Context, from actor.Caller, instance actor.PID) ([]byte, error)
	// Merge lets an instance take in the state of another one that ran at the
	// same time, on the other side of a partition, and is stopped now.
	Merge(ctx context.Context, from actor.Caller, instance actor.PID, state []byte) error
}

func (c *Child) valid(leases bool) error {
	errs := []error{c.Spec.Validate(supervisor.Never)}
	if c.Strong && !leases {
		errs = append(errs, fmt.Errorf("%w: child %q is Strong, and PlacementConfig has no Leases", ErrNoLeases, c.Spec.ID))
	}
	return errors.Join(errs...)
}

var (
	// ErrNoLeases is returned by [Declare] for a Strong child on a node without
	// leases.
	ErrNoLeases = errors.New("registry: no leases")
	// ErrNotRunning is returned by [Locate] for a child of which this node knows
	// no running instance.
	ErrNotRunning = errors.New("registry: placed child is not running")
	// ErrLeaseLost is why a Strong child is stopped whose lease could not be
	// renewed in time.
	ErrLeaseLost = fmt.Errorf("registry: lease lost: %w", actor.ErrShutdown)
)

// Place declares children that need nothing but their specification; see
// [Declare].
func Place(ctx context.Context, from actor.Caller, children ...supervisor.ChildSpec) error {
	all := make([]Child, len(children))
	for i, spec := range children {
		all[i].Spec = spec
	}
	return Declare(ctx, from, all...)
}

// Declare declares children on this node. An ID means the same child on every
// node; a child runs only on nodes that have declared it, and its first
// declaration here stands. Declare returns when the declaration has been taken
// in, not when the children run. It reports every mistake at once.
func Declare(ctx context.Context, from actor.Caller, children ...Child) error {
	var errs []error
	for i := range children {
		errs = append(errs, children[i].valid(true))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := actor.Call[bool](ctx, from, placementName, declare{children})
	return err
}

// Locate returns the instance of a placed child that runs, as far as this node
// knows, wherever that is. It fails with ErrNotRunning or an error of
// actor.Call.
func Locate(ctx context.Context, from actor.Caller, id string) (actor.PID, error) {
	pid, err := actor.Call[actor.PID](ctx, from, placementName, locate{id})
	if err == nil && pid.IsZero() {
		err = fmt.Errorf("%w: %q", ErrNotRunning, id)
	}
	return pid, err
}

// Drain gives up all children that run here to the other nodes, with their
// state, and returns when those run them, or when there is nobody left to run
// them: at once on a node that has nothing to give away and, as all nodes have
// agreed, will not get anything. From then on this node runs no placed child:
// it is for a node that is about to leave. When ctx ends, which without a
// deadline is never, what has not moved stays until the node is closed.
func Drain(ctx context.Context, from actor.Caller) error {
	ctx, cancel := withoutTimeout(ctx)
	defer cancel()
	_, err := actor.Call[bool](ctx, from, placementName, drain{})
	return err
}
