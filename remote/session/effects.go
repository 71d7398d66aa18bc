package session

// Effects are what the caller has to do, in the order of the fields. They
// belong to the Sender and are valid until its next call.
type Effects[T any] struct {
	// GaveUp are messages that the sender retains no longer although they are
	// not acknowledged, in the order of the stream.
	GaveUp []GaveUp[T]
	// Transmit are messages to send to the receiver, in this order. A message
	// that the network refuses may be dropped: it is as if it were lost.
	Transmit []Transmit[T]
	// Skip, if not zero, is to be sent to [Receiver.Skip]: there is no message
	// to transmit that could tell the receiver that lower numbers never come.
	Skip uint64
}

// Empty reports whether there is nothing to do.
func (e Effects[T]) Empty() bool {
	return len(e.GaveUp) == 0 && len(e.Transmit) == 0 && e.Skip == 0
}

// Transmit is a message to send.
type Transmit[T any] struct {
	// Seq is its number in the stream.
	Seq uint64
	// Oldest is the lowest number that the sender retains. Lower ones will not
	// be transmitted again. It must go with the message.
	Oldest uint64
	// Attempt counts the transmissions of this message, from 1.
	Attempt uint32
	Item    T
}

// GaveUp is a message that was given up.
type GaveUp[T any] struct {
	Seq  uint64
	Item T
	// Transmitted is whether it was ever in Effects.Transmit.
	Transmitted bool
	// Err wraps [ErrOutcomeUnknown] or [ErrNotTransmitted], and the cause:
	// [ErrExpired], [ErrUnanswered] or the reason given to Close.
	Err error
}

// scratchKept is how many effects a sender has memory for while it has none.
const scratchKept = 64

// clearScratch empties a slice that is used again, and lets go of what a burst
// has left and of what its elements refer to.
func clearScratch[E any](s []E) []E {
	if cap(s) > scratchKept {
		return nil
	}
	clear(s)
	return s[:0]
}
