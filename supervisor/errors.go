package supervisor

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Exit reasons of supervisors. They wrap actor.ErrShutdown: they are orderly
// ends, as in OTP, after which a Transient supervisor is not restarted.
var (
	// ErrIntensity ends a supervisor that had to restart its children more
	// often than its Intensity allows.
	ErrIntensity error = orderly("supervisor: too many restarts")
	// ErrAutoShutdown ends a supervisor whose significant children have ended;
	// see [AutoShutdown].
	ErrAutoShutdown error = orderly("supervisor: significant children ended")
)

// orderly is a shutdown that says why.
type orderly string

func (e orderly) Error() string { return string(e) }

// Unwrap returns actor.ErrShutdown.
func (e orderly) Unwrap() error { return actor.ErrShutdown }

// Errors of the functions that speak to a supervisor.
var (
	// ErrSpec is wrapped by every mistake in a [Spec] or [ChildSpec].
	ErrSpec = errors.New("supervisor: invalid spec")
	// ErrAlreadyStarted is returned by StartChild for an ID that is in use by a
	// running child, together with its PID.
	ErrAlreadyStarted = errors.New("supervisor: child already started")
	// ErrAlreadyPresent is returned by StartChild for an ID that is in use by a
	// child that is not running; RestartChild starts that one.
	ErrAlreadyPresent = errors.New("supervisor: child already present")
	// ErrNotFound says that the supervisor has no such child.
	ErrNotFound = errors.New("supervisor: no such child")
	// ErrRunning is returned by RestartChild and DeleteChild for a child that
	// is running.
	ErrRunning = errors.New("supervisor: child is running")
	// ErrRestarting is returned by RestartChild and DeleteChild for a child
	// that waits to be restarted.
	ErrRestarting = errors.New("supervisor: child is being restarted")
	// ErrSimpleOneForOne is returned for an operation on a child with an ID by
	// a SimpleOneForOne supervisor.
	ErrSimpleOneForOne = errors.New("supervisor: not possible with SimpleOneForOne")
	// ErrNotSimpleOneForOne is returned for an operation on an instance by a
	// supervisor of another strategy.
	ErrNotSimpleOneForOne = errors.New("supervisor: only possible with SimpleOneForOne")
	// ErrNoProcess is the start error of a child whose start function returned
	// neither a process nor an error.
	ErrNoProcess = errors.New("supervisor: start function returned no process")
)

// StartError says which child could not be started and why. It is returned by
// the start of a supervisor and by the functions that start children.
type StartError struct {
	ID  string
	Err error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("supervisor: child %q did not start: %v", e.ID, e.Err)
}

// Unwrap returns e.Err.
func (e *StartError) Unwrap() error { return e.Err }

// ZombieError is the exit reason of a supervisor one of whose children with
// OnZombie Escalate has become a zombie. It wraps actor.ErrZombie.
type ZombieError struct {
	ID  string
	PID actor.PID
}

func (e *ZombieError) Error() string {
	return fmt.Sprintf("supervisor: child %q is a zombie: %v does not return", e.ID, e.PID)
}

// Unwrap returns actor.ErrZombie.
func (e *ZombieError) Unwrap() error { return actor.ErrZombie }
