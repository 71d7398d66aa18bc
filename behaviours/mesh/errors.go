package mesh

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Errors of calls and of discovery.
var (
	// ErrServiceNotFound says that no instance of the service, in the versions
	// asked for, is registered as far as this node knows.
	ErrServiceNotFound = errors.New("mesh: service not found")
	// ErrNoHealthyInstances says that there are instances and none is well: each
	// is sick by its own report, lost, or ejected.
	ErrNoHealthyInstances = errors.New("mesh: no healthy instances")
	// ErrCircuitOpen says that the service's breaker is open, or those of all
	// its healthy instances.
	ErrCircuitOpen = errors.New("mesh: circuit open")
	// ErrServiceTimeout says that no instance answered in time. It comes with
	// actor.ErrTimeout.
	ErrServiceTimeout = errors.New("mesh: service timeout")
	// ErrInstanceFailed, wrapped by what a server answers, says that the
	// instance is to blame and not the request; see [Failed]. What [Call] returns
	// does not wrap it: a handler that answers with that has not failed itself.
	ErrInstanceFailed = errors.New("mesh: instance failed")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("mesh: closed")
	// ErrRegistered is returned by Register for a process that is registered for
	// the service already.
	ErrRegistered = errors.New("mesh: already registered")
)

// WireErrors returns the errors that errors.Is is to recognise between nodes,
// to be registered with the cluster's codec: a service that calls another one
// may answer with them.
func WireErrors() []error {
	return []error{ErrServiceNotFound, ErrNoHealthyInstances, ErrCircuitOpen, ErrServiceTimeout, ErrInstanceFailed}
}

// Failed returns an error that wraps err and counts as a failure of the instance
// that answers with it: for its breaker, for its ejection, and for another try
// elsewhere. A server that returns it promises that the request had no effect.
func Failed(err error) error {
	if err == nil {
		return ErrInstanceFailed
	}
	return fmt.Errorf("%w: %w", ErrInstanceFailed, err)
}

// Error is why a [Call] failed. errors.Is finds this package's errors in it and
// those of the last try.
type Error struct {
	// Service is its name.
	Service string
	// Instance is the process that was asked last, if any was.
	Instance actor.PID
	// Tries is how many instances were asked.
	Tries int
	// Err says what went wrong.
	Err error
}

func (e *Error) Error() string {
	if e.Tries == 0 {
		return fmt.Sprintf("call of service %s: %v", e.Service, e.Err)
	}
	return fmt.Sprintf("call of service %s (%d tries): %v", e.Service, e.Tries, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// passedOn is what an instance answered that had failed. It wraps all of that but
// ErrInstanceFailed.
type passedOn struct{ error }

// Is reports whether target is in the answer's chain and may be.
func (e passedOn) Is(target error) bool {
	return target != ErrInstanceFailed && errors.Is(e.error, target)
}

// As finds what errors.As finds in the answer.
func (e passedOn) As(target any) bool { return errors.As(e.error, target) }
