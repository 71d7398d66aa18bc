package remote

import "errors"

// Errors of sends, calls and signals to other nodes.
var (
	// ErrQueueFull is returned by a send or a call to a node, or a process on
	// it, that does not keep up: what waits for it on the channel has reached
	// Channel.QueueBytes, or the process's budget is spent, and there was no
	// room in time.
	ErrQueueFull = errors.New("remote: queue is full")
	// ErrReplaced is why a message became a dead letter that a newer one on a
	// monotonic channel has replaced.
	ErrReplaced = errors.New("remote: replaced by a newer message")
	// ErrTooLarge is returned by a send or a call of a message larger than
	// Config.MaxMessage of one of the two nodes.
	ErrTooLarge = errors.New("remote: message too large")
	// ErrOverloaded is why a node counts as down that let so much wait that
	// not even signals could be kept for it any more.
	ErrOverloaded = errors.New("remote: node does not keep up")
	// ErrNoChannel is returned by a send over a channel that Config.Channels
	// does not declare.
	ErrNoChannel = errors.New("remote: no such channel")
	// ErrLabel is returned by a send with a label of causal delivery that is too
	// long, or one too many.
	ErrLabel = errors.New("remote: no such label")
	// ErrNotMember is returned for a node that is not known.
	ErrNotMember = errors.New("remote: node is not a member")
	// ErrHidden is why a node is not dialled whose Config is Hidden.
	ErrHidden = errors.New("remote: node cannot be dialled")
	// ErrNotStarted is returned before [Node.Start].
	ErrNotStarted = errors.New("remote: node not started")
	// ErrClosed is returned after [Node.Close] or [Node.Leave], and is why
	// other nodes count as down then.
	ErrClosed = errors.New("remote: node closed")
	// ErrInsecure is returned by [New] for a listener that others than this
	// machine can reach, unless Config.TLS or Config.Insecure is set.
	ErrInsecure = errors.New("remote: listening off loopback without TLS")
)
