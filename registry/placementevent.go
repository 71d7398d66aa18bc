package registry

import (
	"fmt"

	"github.com/topos-go/topos/actor"
)

// PlacementEvent is a step of a node's placement.
type PlacementEvent struct {
	Kind PlacementEventKind
	// Child is the ID of the child it is about; empty for ViewSettled.
	Child string
	// View is the node's view.
	View uint64
	// Instance is the process it is about, if there is one.
	Instance actor.PID
	// Node is the other node it is about, if there is one.
	Node actor.NodeID
	// Err is what went wrong, if something did.
	Err error
}

// PlacementEventKind says what a [PlacementEvent] is.
type PlacementEventKind uint8

const (
	// ViewSettled: the members agree on who is there, and may act on it.
	ViewSettled PlacementEventKind = iota + 1
	// ChildStarted: Instance runs here.
	ChildStarted
	// ChildWaits: it is to run here, but cannot yet: another instance runs on
	// Node, its name is taken, or its lease is (Err).
	ChildWaits
	// ChildStopped: it was given up and has ended here.
	ChildStopped
	// ChildFailed: it crashed too often (Err), and rests here for a while.
	ChildFailed
	// ChildDone: it has ended for good.
	ChildDone
	// LeaseLost: its lease could not be renewed, and it was stopped.
	LeaseLost
	// DuplicateFound: an instance on Node runs at the same time as the one here.
	DuplicateFound
	// StateGiven: its state was handed to Node.
	StateGiven
	// StateTaken: its state came from Node.
	StateTaken
	// StateMerged: the state of another instance, from Node, was merged into
	// Instance.
	StateMerged
	// StateLost: its state could not be given, sent or merged (Err).
	StateLost
)

var placementEventNames = [...]string{
	ViewSettled: "view settled", ChildStarted: "started", ChildWaits: "waits", ChildStopped: "stopped",
	ChildFailed: "failed", ChildDone: "done", LeaseLost: "lease lost", DuplicateFound: "duplicate found",
	StateGiven: "state given", StateTaken: "state taken", StateMerged: "state merged", StateLost: "state lost",
}

// String returns what happened in a word or two.
func (k PlacementEventKind) String() string {
	if int(k) < len(placementEventNames) && placementEventNames[k] != "" {
		return placementEventNames[k]
	}
	return fmt.Sprintf("PlacementEventKind(%d)", uint8(k))
}
