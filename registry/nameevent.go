package registry

import (
	"fmt"

	"github.com/topos-go/topos/actor"
)

// ErrConflict is matched by every [*ConflictError].
var ErrConflict = fmt.Errorf("registry: name conflict: %w", actor.ErrNameTaken)

// ConflictError is the exit reason of a process that held a cluster name which
// a better claim of another process turned out to be on; see [Rule]. Its
// Terminate can tell the Winner what it knows.
type ConflictError struct {
	Name   string
	Winner actor.PID
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("registry: name %q belongs to %v", e.Name, e.Winner)
}

// Is reports whether target is ErrConflict or actor.ErrNameTaken.
func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict || target == actor.ErrNameTaken
}

// NameEvent is what has happened to a cluster name, as this node sees it.
type NameEvent struct {
	Kind NameEventKind
	Name string
	// PID is whom it is about, and Metadata what is known of that claim. It
	// must not be changed.
	PID      actor.PID
	Metadata map[string]string
	// Winner is who keeps the name, for NameConflict.
	Winner actor.PID
}

// NameEventKind says what a [NameEvent] is.
type NameEventKind uint8

const (
	// NameRegistered: PID holds the name.
	NameRegistered NameEventKind = iota + 1
	// NameUnregistered: PID does not hold it any more: it gave it up, it has
	// ended, its node is lost, or another claim is better.
	NameUnregistered
	// NameDescribed: PID, which holds it, has other Metadata.
	NameDescribed
	// NameConflict: PID, a process of this node, has lost the name to Winner,
	// and gets an exit signal with a [*ConflictError]. It is told on the node
	// of the loser only, before the other events that follow from it.
	NameConflict
)

// String returns "registered", "unregistered", "described" or "conflict".
func (k NameEventKind) String() string {
	switch k {
	case NameRegistered:
		return "registered"
	case NameUnregistered:
		return "unregistered"
	case NameDescribed:
		return "described"
	case NameConflict:
		return "conflict"
	}
	return fmt.Sprintf("NameEventKind(%d)", uint8(k))
}
