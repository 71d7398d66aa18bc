package session

import (
	"errors"
	"fmt"
)

var (
	// ErrWindowFull is returned by Push when as much is unacknowledged as
	// Config.Window or Config.WindowBytes allow. Nothing has happened; it can
	// be pushed again when something has been acknowledged or given up.
	ErrWindowFull = errors.New("session: window full")
	// ErrTableFull is returned by [Table.Push] when all streams together hold
	// TableConfig.MaxBytes. Nothing has happened.
	ErrTableFull = errors.New("session: table full")
	// ErrTooManyStreams is returned by [Table.Push], [Table.Receive] and
	// [Table.Skip] for a new stream beyond TableConfig.MaxStreams. Nothing has
	// happened.
	ErrTooManyStreams = errors.New("session: too many streams")
	// ErrClosed is returned by Push after Close, wrapped with the reason.
	ErrClosed = errors.New("session: closed")
	// ErrSize is returned by Push for a negative size.
	ErrSize = errors.New("session: negative size")

	// ErrMalformed is returned for transmissions and acks that contradict
	// themselves. They have changed nothing.
	ErrMalformed = errors.New("session: malformed")
	// ErrNeverSent is returned for an ack of something that was never sent. It
	// has changed nothing.
	ErrNeverSent = errors.New("session: ack of what was never sent")

	// ErrOutcomeUnknown is wrapped by GaveUp.Err if the message was transmitted
	// at least once: it may have been delivered, or may be yet, once.
	ErrOutcomeUnknown = errors.New("session: outcome unknown")
	// ErrNotTransmitted is wrapped by GaveUp.Err if the message was never
	// transmitted: it is not delivered.
	ErrNotTransmitted = errors.New("session: never transmitted")
	// ErrExpired is wrapped by GaveUp.Err besides one of those if the message
	// was not acknowledged within Config.MaxAge.
	ErrExpired = errors.New("session: too old")
	// ErrUnanswered is wrapped by GaveUp.Err besides ErrOutcomeUnknown if
	// Config.Attempts transmissions were not acknowledged.
	ErrUnanswered = errors.New("session: no answer")
)

// outcome returns the error of a message that is given up for a reason.
func outcome(transmitted bool, reason error) error {
	if transmitted {
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, reason)
	}
	return fmt.Errorf("%w: %w", ErrNotTransmitted, reason)
}
