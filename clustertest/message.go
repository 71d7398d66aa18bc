package clustertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
)

// Message is one message, request, reply or signal on its way to a process on
// another node, where it has just arrived. Its fields must not be changed.
type Message struct {
	// Number counts what rules were applied to, from 1. It is what the schedule
	// calls the message.
	Number int
	// From and To are the nodes; From is -1 for one outside the cluster.
	From, To int
	// Channel is the one it came over, and Key and Label are what it was sent
	// with; see actor.Key and actor.Causal.
	Channel, Key, Label string
	Kind                actor.SignalKind
	// Sender is zero if it was sent by a goroutine that is no process. Receiver
	// is zero if it was sent to a name, which then is Name.
	Sender, Receiver actor.PID
	Name             actor.Name
	// Seq counts messages that are acknowledged; zero for the others.
	Seq uint64
	// Payload is what was sent, decoded; nil for signals.
	Payload any

	traffic *traffic
	line    line
	text    string
	deliver func()

	// Guarded by the traffic's lock.
	state  state
	copies int
	timer  *time.Timer // of a delay
	rule   *rule
	lineup *lineup // where it waits for its turn; nil if it need not
}

// state is what has become of a message.
type state uint8

const (
	waiting state = iota // until it is told to go on, or for a time
	ready                // to be delivered as soon as it is its turn
	gone                 // delivered or dropped
)

// line is a sequence of messages that must not overtake each other.
type line struct {
	from, to         actor.NodeID
	sender, receiver actor.PID
	name             actor.Name
	channel, key     string
}

// maxText is how much of a message a schedule has.
const maxText = 100

// String describes the message for people, as the schedule does.
func (m *Message) String() string { return fmt.Sprintf("#%d %s", m.Number, m.text) }

// describe makes text, before the receiver may change the payload.
func (m *Message) describe() {
	what := kindNames[m.Kind]
	switch payload := m.Payload.(type) {
	case nil:
	case []byte:
		what = fmt.Sprintf("%s of %d bytes", what, len(payload))
	case fmt.Stringer:
		what = fmt.Sprintf("%s %T(%v)", what, payload, payload)
	default:
		what = fmt.Sprintf("%s %#v", what, payload)
	}
	if len(what) > maxText {
		what = strings.ToValidUTF8(what[:maxText], "") + "..."
	}
	from := "outside"
	if m.From >= 0 {
		from = fmt.Sprint("n", m.From)
	}
	m.text = fmt.Sprintf("%s to n%d: %s", from, m.To, what)
}

// kindNames are what people call signals.
var kindNames = map[actor.SignalKind]string{
	actor.SignalMessage: "message", actor.SignalCall: "call", actor.SignalReply: "reply",
	actor.SignalLink: "link", actor.SignalUnlink: "unlink", actor.SignalExit: "exit",
	actor.SignalMonitor: "monitor", actor.SignalDemonitor: "demonitor", actor.SignalDown: "down",
}

// Deliver lets a held message go on, and returns when the receiver's node has
// it. It fails the test if the message is not held any more, or if it would
// overtake an earlier one of the same sender, receiver, channel and key; see
// [Held.Overtake].
func (m *Message) Deliver() {
	m.traffic.cluster.t.Helper()
	m.act("deliver", true, func() { m.state = ready })
}

// Drop lets a held message never arrive. It fails the test if the message is not
// held any more.
func (m *Message) Drop() {
	m.traffic.cluster.t.Helper()
	m.act("drop", false, func() { m.traffic.goneLocked(m) })
}

// Duplicate delivers a held message, which goes on being held: what it carries is
// not copied. It fails the test as [Message.Deliver] does.
func (m *Message) Duplicate() {
	m.traffic.cluster.t.Helper()
	var again *Message
	m.act("deliver a copy of", true, func() {
		c := *m
		c.state, again = ready, &c
		if q := m.lineup; q != nil {
			q.messages = slices.Insert(q.messages, slices.Index(q.messages, m), again)
			again = nil // it goes with its line
		}
	})
	if again != nil {
		again.hand()
	}
}

// act changes what becomes of m, which must be held, by f, which is called under
// the lock. inOrder says that m must not overtake another message.
func (m *Message) act(what string, inOrder bool, f func()) {
	t := m.traffic
	t.cluster.t.Helper()
	t.mu.Lock()
	q, first, held := m.lineup, m.aheadLocked(), m.state == waiting
	switch {
	case !held:
		t.mu.Unlock()
		t.cluster.t.Fatalf("clustertest: %s %v: it is not held any more", what, m)
	case inOrder && first != nil:
		t.mu.Unlock()
		t.cluster.t.Fatalf("clustertest: %s %v: it would overtake %v", what, m, first)
	default:
		f()
		t.cluster.schedule.note("%s %v", what, m)
		t.goOn(q, m)
	}
}

// let delivers m when it is its turn, if it still waits. The schedule is told
// what, unless that is empty.
func (m *Message) let(what string) {
	t := m.traffic
	t.mu.Lock()
	if m.state != waiting {
		t.mu.Unlock()
		return
	}
	m.state = ready
	if what != "" {
		t.cluster.schedule.note("%s %v", what, m)
	}
	t.goOn(m.lineup, m)
}

// aheadLocked returns a message that m would overtake if it were delivered now,
// or nil.
func (m *Message) aheadLocked() *Message {
	if m.lineup == nil {
		return nil
	}
	for _, other := range m.lineup.messages {
		if other == m {
			break
		}
		if other.state == waiting {
			return other
		}
	}
	return nil
}

// inLine reports whether m has to keep its place in its line.
func (m *Message) inLine() bool {
	m.traffic.mu.Lock()
	defer m.traffic.mu.Unlock()
	return m.lineup != nil
}
