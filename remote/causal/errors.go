package causal

import "errors"

// Errors of [Group.Stamp] and [Group.Met], and reasons of [Dead] messages.
var (
	// ErrGroupFull: the label has had [MaxMembers] incarnations that cannot be
	// forgotten yet. Of a Dead message: it mentions one that finds no place.
	ErrGroupFull = errors.New("causal: group full")
	// ErrBuried: the node has had its obituary in this label, and has not been
	// met again since. Of [Group.Met]: it cannot be.
	ErrBuried = errors.New("causal: node buried")
	// ErrSelf: a node's messages to itself need no stamp: delivered at once,
	// they are in order.
	ErrSelf = errors.New("causal: message to this node itself")
	// ErrNode: the node is the zero NodeID, or its name is too long for a stamp.
	ErrNode = errors.New("causal: not a node")
	// ErrExhausted: the numbers of a pair of nodes are used up.
	ErrExhausted = errors.New("causal: numbers exhausted")
	// ErrLate: what waited for the message has been released meanwhile, so
	// that it would be out of order.
	ErrLate = errors.New("causal: message too late")
	// ErrDuplicate: the message has been received before.
	ErrDuplicate = errors.New("causal: message received before")
	// ErrMalformed: the stamp contradicts itself. Also of [ParseStamp].
	ErrMalformed = errors.New("causal: malformed stamp")
	// ErrCycle: the stamps of held messages say that each was sent after the
	// other, which is not so.
	ErrCycle = errors.New("causal: messages depend on each other")
)

// Causes of [Released], besides [ErrBuried] and why a message is [Dead].
var (
	// ErrGivenUp: the sender of what was waited for has given it up.
	ErrGivenUp = errors.New("causal: message given up by its sender")
	// ErrRenewed: the sender of what was waited for has begun a new epoch.
	ErrRenewed = errors.New("causal: sender began anew")
	// ErrTimeout: a message has waited for Config.MaxWait.
	ErrTimeout = errors.New("causal: waited too long")
	// ErrOverload: more messages wait than Config allows.
	ErrOverload = errors.New("causal: too much waits")
)
