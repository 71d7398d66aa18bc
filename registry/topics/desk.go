package topics

import (
	"maps"
	"slices"

	"github.com/topos-go/topos/actor"
)

// deskRestarts is how often in five seconds the desk may be started anew.
const deskRestarts = 10

// desk is the process that knows the subscribers of this node, and has a relay
// for each topic that has some.
//
// Invariant: relays[topic] is there, and in the topic's group, if and only if
// the topic has subscribers here.
type desk struct {
	topics *Topics
	relays map[string]actor.PID
	minded map[actor.PID]map[string]bool // the topics of a process that is monitored
}

type (
	subscribe struct {
		topic string
		pid   actor.PID
	}
	unsubscribe struct {
		topic string
		pid   actor.PID
	}
)

// Init implements actor.Initializer. A desk that was killed, and its relays with
// it, begins anew with the subscribers who are there.
func (d *desk) Init(self *actor.Self) error {
	self.TrapExit(true) // relays are linked
	d.relays = make(map[string]actor.PID)
	d.minded = make(map[actor.PID]map[string]bool)
	t := d.topics
	t.mu.Lock()
	var all []subscribe
	for topic, subscribers := range t.subscribers {
		for pid := range subscribers {
			all = append(all, subscribe{topic, pid})
		}
	}
	t.mu.Unlock()
	for _, s := range all {
		d.mind(self, s)
		if err := d.tell(self, s.topic); err != nil {
			return err
		}
	}
	t.desk.Store(self.PID())
	return nil
}

// Receive implements actor.Actor.
func (d *desk) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case subscribe:
		d.set(m.topic, m.pid, true)
		d.mind(self, m)
		if err := d.tell(self, m.topic); err != nil {
			return self.ReplyError(err)
		}
		return self.Reply(true)
	case unsubscribe:
		d.set(m.topic, m.pid, false)
		delete(d.minded[m.pid], m.topic)
		if err := d.tell(self, m.topic); err != nil {
			return self.ReplyError(err)
		}
		return self.Reply(true)
	case actor.Down:
		if pid, ok := m.Of.(actor.PID); ok {
			topics := slices.Sorted(maps.Keys(d.minded[pid]))
			delete(d.minded, pid)
			for _, topic := range topics {
				d.set(topic, pid, false)
				if err := d.tell(self, topic); err != nil {
					return err
				}
			}
		}
	case actor.Exit:
		for topic, relay := range d.relays {
			if relay == m.From {
				delete(d.relays, topic)
				return d.tell(self, topic)
			}
		}
	}
	return nil
}

// mind lets the desk see a subscriber end.
func (d *desk) mind(self *actor.Self, s subscribe) {
	if d.minded[s.pid] == nil {
		d.minded[s.pid] = make(map[string]bool)
		self.Monitor(s.pid)
	}
	d.minded[s.pid][s.topic] = true
}

// set notes whether pid subscribes to topic.
func (d *desk) set(topic string, pid actor.PID, yes bool) {
	t := d.topics
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !yes:
		delete(t.subscribers[topic], pid)
		if len(t.subscribers[topic]) == 0 {
			delete(t.subscribers, topic)
		}
	case t.subscribers[topic] == nil:
		t.subscribers[topic] = map[actor.PID]bool{pid: true}
	default:
		t.subscribers[topic][pid] = true
	}
}

// tell tells a topic's relay whom to send to, starts it, or ends it.
func (d *desk) tell(self *actor.Self, topic string) error {
	t := d.topics
	t.mu.Lock()
	to := slices.Collect(maps.Keys(t.subscribers[topic]))
	t.mu.Unlock()
	relay, there := d.relays[topic]
	switch {
	case len(to) == 0 && there:
		delete(d.relays, topic)
		_ = t.groups.Leave(prefix+topic, relay) // it has left if it has ended
		return self.Send(relay, roster{})
	case len(to) == 0:
		return nil
	case there:
		return self.Send(relay, roster{to})
	}
	relay, err := self.SpawnLink(&repeater{to: to}, actor.Label("relay of "+topic))
	if err != nil {
		return err
	}
	d.relays[topic] = relay
	return t.groups.Join(prefix+topic, relay, nil)
}

// repeater is the relay of one topic on one node. Everything that it receives,
// but the desk's roster, is for its subscribers.
type repeater struct{ to []actor.PID }

// roster is whom to send to from now on. Without anybody it ends the relay.
type roster struct{ to []actor.PID }

// Receive implements actor.Actor.
func (r *repeater) Receive(self *actor.Self, msg any) error {
	if m, ok := msg.(roster); ok {
		r.to = m.to
		if len(r.to) == 0 {
			return actor.ErrNormal
		}
		return nil
	}
	self.Retain() // it goes to several, who may keep it
	for _, pid := range r.to {
		_ = self.Send(pid, msg) // who has ended is about to be taken off
	}
	return nil
}
