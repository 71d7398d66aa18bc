package strong

import "errors"

var (
	// ErrClosed is returned by all methods of a [Registry] that has been
	// closed, or was not started.
	ErrClosed = errors.New("strong: registry is closed")
	// ErrHeld is matched by the [*HeldError] of an acquisition.
	ErrHeld = errors.New("strong: name is held")
	// ErrLost is returned for a lease that the caller does not hold, or not any
	// more.
	ErrLost = errors.New("strong: lease is lost")
	// ErrConflict is matched by the [*ConflictError] of a registration whose
	// condition was not met.
	ErrConflict = errors.New("strong: name is not as expected")
	// ErrAbsent is returned for a name that nobody holds.
	ErrAbsent = errors.New("strong: no such name")
	// ErrUnknown is returned by a change whose context ended after it had been
	// sent: it may have been carried out, or may still be, once.
	ErrUnknown = errors.New("strong: outcome unknown")
	// ErrObsolete is returned on a node whose data belong to an epoch that an
	// operator has ended with [NewEpoch]. It must be started with an empty
	// folder.
	ErrObsolete = errors.New("strong: data of an epoch that has ended")
	// ErrNoReplica is returned by stale reads on a node that has no copy of the
	// data.
	ErrNoReplica = errors.New("strong: no copy of the data on this node")
	// ErrLimit is returned for a name or a holder that is empty or too long.
	ErrLimit = errors.New("strong: empty or too long")
)
