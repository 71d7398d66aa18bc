package supervisor

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// Status is what a child is doing, as far as anybody but its supervisor can
// see.
type Status uint8

// What a child may be doing.
const (
	// Stopped children have no process: they were not wanted, have ended in
	// order, were terminated, or have not been started yet.
	Stopped Status = iota
	// Running children have a process.
	Running
	// Restarting children have ended and will be started again: at once, after
	// their Backoff, or because their last start failed.
	Restarting
)

// String returns "stopped", "running" or "restarting".
func (s Status) String() string { return [...]string{"stopped", "running", "restarting"}[s] }

// state is what a child is doing, as its supervisor sees it.
type state uint8

const (
	absent     state = iota // no process
	running                 // has a process
	stopping                // has been told to end
	killing                 // has been killed
	ended                   // has ended by itself, which has not been dealt with yet
	restarting              // has ended and will be started again
	forgotten               // is no longer among the children
)

// status is the state as others may see it. They see nothing while a child is
// being stopped: requests wait for that.
func (s state) status() Status {
	switch s {
	case absent:
		return Stopped
	case restarting:
		return Restarting
	}
	return Running
}

// alive reports whether there is a process.
func (s state) alive() bool { return s == running || s == stopping || s == killing }

// child is one child of a supervisor.
type child struct {
	spec  *ChildSpec // its own, or the template that all instances share
	args  []any      // of an instance that may have to be restarted
	state state
	pid   actor.PID // the last process's
	// expendable children can never be restarted: what it takes to start them
	// was not kept, because they were Temporary when they were started.
	expendable bool

	reason   error     // why it ended
	due      time.Time // when to kill it, when to start it again; zero: never
	started  time.Time
	streak   int // restarts in a row, for the Backoff
	restarts int // how often it had to be restarted

	prev, next *child // among its siblings

	// The supervisor process's own, of which the plan knows nothing: set once
	// the child has been told to end.
	monitor actor.MonitorRef
}

// info is c as others may see it.
func (c *child) info() ChildInfo {
	info := ChildInfo{ID: c.spec.ID, Type: c.spec.Type, Status: c.state.status(), Restarts: c.restarts}
	if info.Status == Running {
		info.PID = c.pid
	}
	return info
}

// temporary reports whether c is never to be restarted.
func (c *child) temporary() bool { return c.expendable || c.spec.Restart == Temporary }

// ChildInfo is what is known of a child at one moment.
type ChildInfo struct {
	// ID is the child's, or the template's for an instance.
	ID string
	// PID is the child's process; zero unless it is Running.
	PID    actor.PID
	Type   Type
	Status Status
	// Restarts is how often the supervisor had to restart the child, failed
	// attempts included.
	Restarts int
}

// Counts are the answer of [CountChildren].
type Counts struct {
	// Specs is the number of children with a specification, running or not;
	// 1 with SimpleOneForOne.
	Specs int
	// Active is the number of children that have a process.
	Active int
	// Supervisors and Workers are the numbers of children of either Type,
	// running or not.
	Supervisors, Workers int
}
