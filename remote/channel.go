package remote

import (
	"errors"
	"fmt"
	"time"
)

// Names of the channels that every node has.
const (
	// DefaultChannel carries what is sent without actor.Channel, and all
	// signals between processes that are not messages, calls or replies.
	DefaultChannel = "default"
	// RPCChannel is for calls that must not wait behind other messages.
	RPCChannel = "rpc"
	// ControlChannel carries the topics of [Node.SendControl].
	ControlChannel = "control"
	// MembershipChannel carries heartbeats and what nodes tell of each other
	// that are linked, PostChannel what others do, over connections that are
	// closed soon.
	MembershipChannel = "membership"
	PostChannel       = "post"
)

// Defaults of [Channel].
const (
	// DefaultQueueBytes is what may wait for one node on one channel: a second
	// of a fast network.
	DefaultQueueBytes = 128 << 20
	// DefaultWait is how long a sender waits for room, as long as a call for
	// its reply.
	DefaultWait = 5 * time.Second
	// DefaultGrowBytes is how much has to wait on each lane for an elastic
	// channel to open another one.
	DefaultGrowBytes = 1 << 20
	// DefaultIdle is how long a lane keeps a connection that it does not use.
	DefaultIdle = time.Minute
)

// Bounds of what other nodes can ask for.
const (
	maxChannelName = 255
	maxLanes       = 64
	maxChannels    = 256
)

// Channel declares one way for messages between nodes: its connections to each
// other node and its queue are its own, so that what goes over one channel is
// not behind what goes over another. But for Lend, only the sending side's
// declaration counts; a node receives on channels it has not declared. Name must
// be given; every other zero value means its default.
type Channel struct {
	// Name is what actor.Channel says. A declaration of a name that every node
	// has changes that channel; of MembershipChannel and PostChannel, nothing can
	// be changed.
	Name string
	// MinLanes and MaxLanes bound how many connections there are to each other
	// node. Both zero means one; MaxLanes zero means MinLanes. If they differ, a
	// lane is opened when more than GrowBytes wait on each, and given up when
	// less would do. Messages keep their order whatever lanes there are.
	MinLanes, MaxLanes int
	GrowBytes          int
	// Idle is how long a lane keeps a connection that nothing is sent over.
	Idle time.Duration
	// Compression is how this node compresses what it sends.
	Compression Compression
	// Lend lets a []byte of a few kilobytes or more, sent as a message, lie in
	// memory that is used again when its receiver's handler has returned, unless
	// that calls actor.Self.Retain: without the cost of fresh memory for each. It
	// is the receiving node's declaration that counts.
	Lend bool
	// Monotonic lets a message replace those of the same sender, receiver and
	// actor.Key that still wait: only the newest arrives for sure. Requests and
	// acknowledged messages are never replaced. What was replaced is counted.
	Monotonic bool
	// QueueBytes is how much may wait for one node, sent or not, until that
	// node confirms it; WhenFull is what happens to a message or request beyond
	// it, and Wait how long it may take to happen. Where senders wait, an eighth is
	// kept for messages of less than eight kilobytes.
	QueueBytes int
	WhenFull   Full
	Wait       time.Duration
	// Priority orders the channels to one node: while something is to be sent
	// on one with a higher priority, those with lower ones pause.
	Priority int
}

// Full says what happens to a message for which there is no room in a channel's
// queue, or whose receiver has more mail waiting than it may.
type Full uint8

const (
	// Block lets the sender wait for room: at most Channel.Wait, or until a
	// call's deadline. Then the send fails with ErrQueueFull.
	Block Full = iota
	// Fail lets the send fail at once.
	Fail
	// DropOldest makes room by dropping messages that wait and have not been
	// begun, the oldest first. Each is counted and becomes a dead letter.
	// Requests are not dropped, but fail as with Fail. If it is the receiver
	// that has no room, the message itself is dropped.
	DropOldest
)

// String returns "block", "fail" or "drop oldest".
func (f Full) String() string {
	switch f {
	case Block:
		return "block"
	case Fail:
		return "fail"
	case DropOldest:
		return "drop oldest"
	}
	return fmt.Sprintf("Full(%d)", uint8(f))
}

func (c *Channel) setDefaults() {
	if c.MinLanes == 0 {
		c.MinLanes = 1
	}
	if c.MaxLanes == 0 {
		c.MaxLanes = c.MinLanes
	}
	orDefault(&c.GrowBytes, DefaultGrowBytes)
	orDefault(&c.Idle, DefaultIdle)
	orDefault(&c.QueueBytes, DefaultQueueBytes)
	orDefault(&c.Wait, DefaultWait)
}

// valid reports what is wrong with c, after its defaults have been set.
func (c *Channel) valid() error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("remote: Channel %q: "+format, append([]any{c.Name}, args...)...))
	}
	switch {
	case c.Name == "" || len(c.Name) > maxChannelName:
		complain("the name must have 1 to %d bytes", maxChannelName)
	case c.Name == MembershipChannel || c.Name == PostChannel || c.Name == RelayChannel:
		complain("it cannot be changed")
	case c.Name == ControlChannel && (c.MaxLanes != 1 || c.Monotonic || c.WhenFull == DropOldest):
		complain("it has one lane and loses nothing")
	}
	if c.MinLanes < 1 || c.MaxLanes < c.MinLanes || c.MaxLanes > maxLanes {
		complain("MinLanes %d and MaxLanes %d must be between 1 and %d", c.MinLanes, c.MaxLanes, maxLanes)
	}
	if c.GrowBytes < 0 || c.QueueBytes < 0 || c.Idle < 0 || c.Wait < 0 {
		complain("GrowBytes, QueueBytes, Idle or Wait is negative")
	}
	if c.Compression > Zstd {
		complain("there is no %v", c.Compression)
	}
	if c.WhenFull > DropOldest {
		complain("there is no %v", c.WhenFull)
	}
	return errors.Join(errs...)
}

// channels completes the declarations of cfg by those that every node has.
func (cfg *Config) channels() (map[string]*Channel, error) {
	all := make(map[string]*Channel)
	var errs []error
	for _, c := range cfg.Channels {
		orDefault(&c.QueueBytes, cfg.QueueBytes)
		c.setDefaults()
		errs = append(errs, c.valid())
		if all[c.Name] != nil {
			errs = append(errs, fmt.Errorf("remote: Channel %q is declared twice", c.Name))
		}
		all[c.Name] = &c
	}
	for _, name := range []string{DefaultChannel, RPCChannel, ControlChannel, MembershipChannel, PostChannel} {
		if all[name] == nil {
			c := Channel{Name: name, QueueBytes: cfg.QueueBytes}
			switch name {
			case ControlChannel:
				c.WhenFull = Fail // its senders must not wait
			case PostChannel:
				c.Idle = postIdle
			}
			c.setDefaults()
			all[name] = &c
		}
	}
	if len(all) > maxChannels {
		errs = append(errs, fmt.Errorf("remote: %d channels, at most %d", len(all), maxChannels))
	}
	return all, errors.Join(errs...)
}
