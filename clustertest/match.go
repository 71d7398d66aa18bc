package clustertest

import (
	"slices"

	"github.com/topos-go/topos/actor"
)

// Match says which messages a rule is about. One is written by hand as a
// function of the [Message], which must not wait. It is called on many
// goroutines.
type Match func(m *Message) bool

// From matches what comes from node i.
func From(i int) Match { return func(m *Message) bool { return m.From == i } }

// To matches what goes to node i.
func To(i int) Match { return func(m *Message) bool { return m.To == i } }

// OnChannel matches what comes over the named channel.
func OnChannel(name string) Match { return func(m *Message) bool { return m.Channel == name } }

// OfKind matches messages, calls, replies or signals of those kinds.
func OfKind(kinds ...actor.SignalKind) Match {
	return func(m *Message) bool { return slices.Contains(kinds, m.Kind) }
}

// Sender matches what the process at pid sends.
func Sender(pid actor.PID) Match { return func(m *Message) bool { return m.Sender == pid } }

// Receiver matches what is sent to the process at to, if that is an actor.PID,
// or to whatever process has that actor.Name, by its name. What is sent to a
// name of the whole cluster is sent to the PID that holds it.
func Receiver(to actor.Address) Match {
	return func(m *Message) bool {
		switch to := to.(type) {
		case actor.PID:
			return m.Receiver == to
		case actor.Name:
			return m.Name == to
		case actor.NameAt:
			return m.Name == to.Name && m.Name != "" && m.line.to.Name == to.Node
		}
		return false
	}
}

// Payload matches messages, calls and replies by what they carry.
func Payload(ok func(payload any) bool) Match {
	return func(m *Message) bool { return m.Payload != nil && ok(m.Payload) }
}

// PayloadOf matches messages, calls and replies that carry a T.
func PayloadOf[T any]() Match {
	return func(m *Message) bool {
		_, ok := m.Payload.(T)
		return ok
	}
}

// Chance matches with a probability between 0 and 1, as [Seed] determines: put
// it last, so that it is drawn only for what the others match.
func (c *Cluster) Chance(probability float64) Match {
	return func(*Message) bool { return c.traffic.draw() < probability }
}

// matches reports whether all of them match m.
func matches(all []Match, m *Message) bool {
	return !slices.ContainsFunc(all, func(match Match) bool { return !match(m) })
}
