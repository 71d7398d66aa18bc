package handshake

import (
	"errors"
	"fmt"
)

// Reasons for which a handshake fails. Either side may give them; the error
// is a [*RefusedError] if the other side did.
var (
	// ErrSecret: the other side does not know the cluster secret.
	ErrSecret = errors.New("handshake: wrong cluster secret")
	// ErrCluster: the other side belongs to another cluster.
	ErrCluster = errors.New("handshake: another cluster")
	// ErrVersion: the two speak no protocol version in common.
	ErrVersion = errors.New("handshake: no protocol version in common")
	// ErrSelf: the two sides are the same node, or bear the same name.
	ErrSelf = errors.New("handshake: connected to itself")
	// ErrOldIncarnation: a newer incarnation of the dialling node is known, or
	// this one has left.
	ErrOldIncarnation = errors.New("handshake: old incarnation")
	// ErrDuplicate: the two are connected already, or about to be, the other
	// way round.
	ErrDuplicate = errors.New("handshake: duplicate connection")
	// ErrStale: the other side has given up what bound the two together; it
	// must be begun anew.
	ErrStale = errors.New("handshake: stale association")
	// ErrUnexpected: another node answers than the one that was dialled.
	ErrUnexpected = errors.New("handshake: unexpected node")
	// ErrMalformed: what the other side sent is not a handshake.
	ErrMalformed = errors.New("handshake: malformed")
	// ErrTimeout: the handshake was not completed in time.
	ErrTimeout = errors.New("handshake: timed out")
	// ErrBusy: there are too many connections that have proven nothing yet.
	ErrBusy = errors.New("handshake: too many unauthenticated connections")
	// ErrLeaving: the node is leaving the cluster or closing.
	ErrLeaving = errors.New("handshake: node is leaving")
	// ErrNoRoute: the node that the connection was to lead on to cannot be
	// reached from here either.
	ErrNoRoute = errors.New("handshake: no way to the node")
)

// codes are the reasons' numbers on the wire. A number keeps its meaning for
// ever.
var codes = []struct {
	code uint32
	err  error
}{
	{1, ErrSecret}, {2, ErrCluster}, {3, ErrVersion}, {4, ErrSelf}, {5, ErrOldIncarnation}, {6, ErrDuplicate},
	{7, ErrStale}, {8, ErrUnexpected}, {9, ErrMalformed}, {10, ErrTimeout}, {11, ErrBusy}, {12, ErrLeaving},
	{13, ErrNoRoute},
}

func codeOf(err error) uint32 {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return 0
}

// RefusedError says that the other side refused the connection, and why.
type RefusedError struct {
	// Reason is one of this package's errors; nil if the other side gave a
	// reason that this version does not know.
	Reason error
	// Detail is what the other side added.
	Detail string
}

func newRefusedError(code uint32, detail string) *RefusedError {
	for _, c := range codes {
		if c.code == code {
			return &RefusedError{Reason: c.err, Detail: detail}
		}
	}
	return &RefusedError{Detail: fmt.Sprintf("code %d %s", code, detail)}
}

func (e *RefusedError) Error() string {
	text := "handshake: refused by the other side"
	if e.Reason != nil {
		text += ": " + e.Reason.Error()
	}
	if e.Detail != "" {
		text += fmt.Sprintf(" (%q)", e.Detail)
	}
	return text
}

// Unwrap returns e.Reason.
func (e *RefusedError) Unwrap() error { return e.Reason }
