package registry

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
)

// gate is the start function of a placed child. It adds the tenure, and lets
// nothing start under a lease that is over. It is called by the child's
// supervisor, and closed by its keeper.
type gate struct {
	sys    *actor.System
	keeper actor.PID
	start  actor.StartFunc
	tenure atomic.Pointer[Tenure]
	until  atomic.Pointer[time.Time] // nil for no end
}

// Messages to the keeper.
type (
	// born: an instance has started.
	born struct{ pid actor.PID }
	// unwanted: the start function said that there need be none, or that its
	// name is taken.
	unwanted struct {
		taken bool
		err   error
	}
)

// open reports whether something may start.
func (g *gate) open() bool {
	until := g.until.Load()
	return until == nil || time.Now().Before(*until)
}

// close lets nothing start from now on.
func (g *gate) close() { g.until.Store(&time.Time{}) }

// pass is an actor.StartFunc. A name that is taken is a reason not to start,
// instead of a failure that the supervisor would count: the other instance is
// stopping, or stands on the other side of a partition that has just healed.
func (g *gate) pass(parent *actor.Self, args ...any) (actor.PID, error) {
	if !g.open() {
		return actor.PID{}, fmt.Errorf("%w: %w", actor.ErrIgnore, ErrLeaseLost)
	}
	pid, err := g.start(parent, append(args, *g.tenure.Load())...)
	taken := errors.Is(err, actor.ErrNameTaken)
	switch {
	case err == nil && !g.open():
		_ = g.sys.Kill(pid) // its Init took longer than the lease
		return actor.PID{}, fmt.Errorf("%w: %w", actor.ErrIgnore, ErrLeaseLost)
	case err == nil:
		_ = g.sys.Send(g.keeper, born{pid})
	case taken || errors.Is(err, actor.ErrIgnore):
		_ = g.sys.Send(g.keeper, unwanted{taken, err})
	}
	if taken {
		err = fmt.Errorf("%w: %w", actor.ErrIgnore, err)
	}
	return pid, err
}
