package statem

import (
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Kind says where an event came from: OTP's event types.
type Kind uint8

// The kinds of events.
const (
	// Call is a request that waits for a reply.
	Call Kind = iota
	// Cast is a message that somebody sent.
	Cast
	// Info is a message of the kernel's: actor.Down, actor.Exit,
	// actor.NodeDown or actor.ReceiveTimeout.
	Info
	// Internal is an event that the machine has inserted itself.
	Internal
	// StateTimeout is the end of the time for a state; see [Turn.StateTimeout].
	StateTimeout
	// EventTimeout is the end of the time for the next event; see
	// [Turn.EventTimeout].
	EventTimeout
	// Timeout is the end of a time that has a name; see [Turn.Timeout].
	Timeout
)

// String returns OTP's name, such as "state_timeout". What OTP calls timeout is
// "event_timeout", since a Timeout has a name.
func (k Kind) String() string {
	switch k {
	case Call:
		return "call"
	case Cast:
		return "cast"
	case Info:
		return "info"
	case Internal:
		return "internal"
	case StateTimeout:
		return "state_timeout"
	case EventTimeout:
		return "event_timeout"
	case Timeout:
		return "timeout"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Event is something that a machine handles in a state. An Event that was kept
// can be inserted again with [Turn.Insert], also a Call, whose caller then goes
// on waiting.
type Event struct {
	Kind Kind
	// Name is that of a Timeout; nil for all others.
	Name any
	// Content is the message, or what was given with the timeout.
	Content any

	from actor.From // of a Call that was kept
	turn uint32     // in which it was handled; a Call without from is good in that one only
}

// String formats e as "cast 1".
func (e Event) String() string {
	if e.Kind == Timeout {
		return fmt.Sprintf("timeout %v %v", e.Name, e.Content)
	}
	return fmt.Sprintf("%v %v", e.Kind, e.Content)
}
