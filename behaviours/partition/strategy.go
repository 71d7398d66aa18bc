package partition

import "fmt"

// Strategy says what a guarded process does while its cluster is parted.
type Strategy uint8

const (
	// ContinueLocal lets every side go on by itself. It is for state that joins
	// by itself afterwards, such as crdtactor's.
	ContinueLocal Strategy = iota
	// ElectLeader lets the side go on that has the leader. The others are
	// read-only.
	ElectLeader
	// ReadOnly lets nobody write.
	ReadOnly
	// MergeOnReconnect lets every side go on, and logs operations until every
	// node has applied them: those of other sides when they can be reached again.
	MergeOnReconnect
)

// String returns "continue-local", "elect-leader", "read-only" or
// "merge-on-reconnect".
func (s Strategy) String() string {
	switch s {
	case ContinueLocal:
		return "continue-local"
	case ElectLeader:
		return "elect-leader"
	case ReadOnly:
		return "read-only"
	case MergeOnReconnect:
		return "merge-on-reconnect"
	}
	return fmt.Sprintf("Strategy(%d)", uint8(s))
}

// Class says what a message does to the state of a guarded process.
type Class uint8

const (
	// Read changes nothing that matters. It is always let through.
	Read Class = iota
	// Write changes the state.
	Write
)

// String returns "read" or "write".
func (c Class) String() string {
	switch c {
	case Read:
		return "read"
	case Write:
		return "write"
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}
