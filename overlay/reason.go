package overlay

import "errors"

// Reasons for which a node is down.
var (
	// ErrUnreachable: the link broke, and nobody listens at the node's
	// address any more.
	ErrUnreachable = errors.New("overlay: node unreachable")
	// ErrSilent: nothing was heard of the node for too long.
	ErrSilent = errors.New("overlay: node silent")
	// ErrRestarted: a newer incarnation of the node has been met.
	ErrRestarted = errors.New("overlay: node restarted")
	// ErrLeft: the node has announced that it leaves.
	ErrLeft = errors.New("overlay: node left")
	// ErrForgotten: the other node has given this one up meanwhile, and starts
	// anew.
	ErrForgotten = errors.New("overlay: node had given up this one")
	// ErrSelf: the node has this node's own name.
	ErrSelf = errors.New("overlay: node has this node's name")
	// ErrDialFailed: a node that was only known by hearsay could not be
	// connected.
	ErrDialFailed = errors.New("overlay: node could not be connected")
)
