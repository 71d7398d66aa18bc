package actor

// SendOption changes how one message, request or signal is sent: [Traced] to
// any receiver, the others to one on another node. Within a node a message
// takes no way to speak of, so they change nothing there. An option is a value
// that may be kept and used again, by several goroutines; of two that say the
// same thing the later counts.
type SendOption struct {
	what  optionKind
	text  string
	trace []byte
}

type optionKind uint8

const (
	optionNone optionKind = iota
	optionTrace
	optionChannel
	optionKey
	optionCausal
	optionAck
	optionUnordered
)

// Traced lets a message carry trace to its receiver, whose [Self.Context] has
// it; see [ContextWithTrace]. The caller must not change trace afterwards.
func Traced(trace []byte) SendOption { return SendOption{what: optionTrace, trace: trace} }

// Channel sends over the named channel instead of the default one. Channels
// have queues and connections of their own: there is no order between the
// messages of two channels, and one does not hold up the other.
func Channel(name string) SendOption { return SendOption{what: optionChannel, text: name} }

// Key puts a message into a sequence of its own: messages of one sender to one
// receiver on one channel with equal keys arrive in the order sent, those with
// different keys in any. On a monotonic channel the newest message of a key
// replaces those that still wait.
func Key(key string) SendOption { return SendOption{what: optionKey, text: key} }

// Causal delivers a message after all those with the same label that happened
// before it, whoever sent them. It implies [Ack].
func Causal(label string) SendOption { return SendOption{what: optionCausal, text: label} }

// Ack keeps a message until the receiver's node has put it into the receiver's
// mailbox, and sends it again after the two nodes have lost each other. If that
// remains in vain, it becomes a dead letter whose reason wraps
// [ErrOutcomeUnknown].
func Ack() SendOption { return SendOption{what: optionAck} }

// Unordered gives up the order of messages of one sender to one receiver, for
// whichever of the channel's connections has the least to do.
func Unordered() SendOption { return SendOption{what: optionUnordered} }

// Delivery says how a signal is to travel between nodes. Its zero value is the
// default channel, in order of sender and receiver.
type Delivery struct {
	Channel   string // empty for the default one
	Key       string
	Label     string // of causal delivery; empty for none
	Ack       bool
	Unordered bool
}

// options is what a list of SendOptions comes to.
type options struct {
	trace []byte
	via   Delivery
}

func gather(list []SendOption) options {
	var o options
	for i := range list {
		switch opt := &list[i]; opt.what {
		case optionTrace:
			o.trace = opt.trace
		case optionChannel:
			o.via.Channel = opt.text
		case optionKey:
			o.via.Key = opt.text
		case optionCausal:
			o.via.Label = opt.text
		case optionAck:
			o.via.Ack = true
		case optionUnordered:
			o.via.Unordered = true
		}
	}
	return o
}
