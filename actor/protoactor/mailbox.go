package protoactor

import (
	"context"
	"sync"
	"sync/atomic"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// mailbox is the Mailbox of a hosted actor: what it takes becomes mail of a
// process of ours, the host, which handles it.
//
// System messages have a queue of their own, because theirs overtake messages;
// the host looks at it before each message.
//
// Invariants:
//  1. Once attached is set, pid and to do not change, and mail goes straight to
//     the host's process.
//  2. Every watcher is told exactly once, by who sets dead, or at once after.
type mailbox struct {
	b        *Bridge
	attached atomic.Bool
	pending  atomic.Bool // there may be system messages
	pid      actor.PID
	to       actor.Address // pid, made an Address once

	ctx     proto.Context // the actor's, from RegisterHandlers
	invoker proto.MessageInvoker

	mu       sync.Mutex
	early    []any // messages that came before there was a host
	system   []any
	wakeup   context.CancelFunc // wakes a host that waits in Terminate
	watchers proto.PIDSet
	kids     map[*mailbox]struct{} // hosted children
	dead     bool
}

func newMailbox(b *Bridge) *mailbox { return &mailbox{b: b} }

// wake is mail that only says: look at the system messages.
type wake struct{}

// attach gives the mailbox its host. What came before is the host's first mail.
func (m *mailbox) attach(pid actor.PID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pid, m.to = pid, pid
	m.b.byPID.Store(pid, m)
	if len(m.system) > 0 {
		_ = m.b.sys.Send(m.to, wake{})
	}
	for _, message := range m.early {
		_ = m.b.sys.Send(m.to, message) // a dead letter if it fails
	}
	m.early = nil
	m.attached.Store(true)
}

// actorPID returns the PID of the actor; nil before it is known.
func (m *mailbox) actorPID() *proto.PID {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx == nil {
		return nil
	}
	return m.ctx.Self()
}

// PostUserMessage is proto.Mailbox's.
func (m *mailbox) PostUserMessage(message any) {
	m.expand(message)
	if !m.attached.Load() && m.postEarly(message) {
		return
	}
	err := m.b.sys.Send(m.to, message)
	if err == nil {
		return
	}
	if env, ok := message.(*proto.MessageEnvelope); !ok || env.Sender == nil { // else see Bridge.observe
		m.b.actors.DeadLetter.SendUserMessage(m.actorPID(), message)
	}
}

// expand posts the messages of a batch, before the batch itself, as theirs
// does.
func (m *mailbox) expand(message any) {
	if env, ok := message.(*proto.MessageEnvelope); ok {
		message = env.Message
	}
	if batch, ok := message.(proto.MessageBatch); ok {
		for _, single := range batch.GetMessages() {
			m.PostUserMessage(single)
		}
	}
}

// postEarly keeps message for the host to come. It reports false if there is
// one now.
func (m *mailbox) postEarly(message any) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.attached.Load() {
		return false
	}
	m.early = append(m.early, message)
	return true
}

// PostSystemMessage is proto.Mailbox's.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	switch w := message.(type) {
	case *proto.Watch:
		if !m.dead {
			m.watchers.Add(w.Watcher)
			m.mu.Unlock()
			return
		}
		self := m.ctx.Self()
		m.mu.Unlock()
		m.b.processOf(w.Watcher).SendSystemMessage(w.Watcher, &proto.Terminated{Who: self})
		return
	case *proto.Unwatch:
		m.watchers.Remove(w.Watcher)
		m.mu.Unlock()
		return
	}
	if m.dead {
		m.mu.Unlock()
		return
	}
	m.system = append(m.system, message)
	m.pending.Store(true)
	first, wakeup := len(m.system) == 1 && m.attached.Load(), m.wakeup
	m.mu.Unlock()
	if first {
		_ = m.b.sys.Send(m.to, wake{}) // who has ended need not look
	}
	if wakeup != nil {
		wakeup()
	}
}

// next takes the oldest system message.
func (m *mailbox) next() (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.system) == 0 {
		m.pending.Store(false)
		return nil, false
	}
	message := m.system[0]
	m.system[0] = nil
	m.system = m.system[1:]
	return message, true
}

// awaitWith lets the next system message call wakeup. It reports false if there
// is one already.
func (m *mailbox) awaitWith(wakeup context.CancelFunc) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakeup = wakeup
	return wakeup == nil || len(m.system) == 0
}

// RegisterHandlers is proto.Mailbox's. The actor exists from here on; unless it
// was its host that spawned it, it gets a host here.
func (m *mailbox) RegisterHandlers(invoker proto.MessageInvoker, _ proto.Dispatcher) {
	m.mu.Lock()
	m.invoker = invoker
	m.ctx = invoker.(proto.Context)
	late := m.dead // its process was given up while the actor was made
	m.mu.Unlock()
	if late {
		m.b.actors.ProcessRegistry.Remove(m.ctx.Self())
		return
	}
	m.b.boxes.Store(m.ctx.Self().Id, m)
	if parent, ok := m.b.hosted(m.ctx.Parent()); ok {
		parent.adopt(m)
	}
	if m.attached.Load() {
		return
	}
	h := &host{b: m.b, box: m, guarded: true}
	if _, err := m.b.sys.Spawn(m.b.ctx, h, actor.Label(m.ctx.Self().Id), unbounded); err != nil {
		m.attached.Store(true) // to the zero PID: everything becomes a dead letter
		m.to = actor.PID{}
		m.ended()
	}
}

// Start is proto.Mailbox's.
func (m *mailbox) Start() {}

// UserMessageCount is proto.Mailbox's.
func (m *mailbox) UserMessageCount() int {
	info, _ := m.b.sys.Info(m.pid)
	return info.Queue
}

func (m *mailbox) adopt(kid *mailbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kids == nil {
		m.kids = make(map[*mailbox]struct{})
	}
	m.kids[kid] = struct{}{}
}

func (m *mailbox) disown(kid *mailbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kids, kid)
}

// unregister takes the actor's name, unless a successor has it already.
func (m *mailbox) unregister() {
	if m.ctx != nil && m.b.boxes.CompareAndDelete(m.ctx.Self().Id, m) {
		m.b.actors.ProcessRegistry.Remove(m.ctx.Self())
	}
}

// ended tells the actor's watchers and its parent that it is gone, and kills
// those children that nobody has stopped. It is called when the host's process
// has ended, by whatever end, and sends to no other node.
func (m *mailbox) ended() {
	m.mu.Lock()
	if m.dead || m.ctx == nil {
		m.dead = true
		m.mu.Unlock()
		return
	}
	m.dead = true
	m.system = nil
	watchers, kids := m.watchers.Values(), m.kids
	m.kids = nil
	m.mu.Unlock()
	m.unregister()
	self, parent := m.ctx.Self(), m.ctx.Parent()
	if box, ok := m.b.hosted(parent); ok {
		box.disown(m)
	}
	if parent != nil {
		watchers = append(watchers, parent)
	}
	for kid := range kids {
		if kid.attached.Load() {
			_ = m.b.sys.Kill(kid.pid) // it has no parent to be stopped by any more
		}
	}
	gone := &proto.Terminated{Who: self}
	for _, watcher := range watchers {
		if !m.b.local(watcher) && watcher.Address != toposAddress {
			_ = m.b.sys.Send(m.b.gateway, &tell{watcher: watcher, message: gone})
		} else if p, ok := m.b.actors.ProcessRegistry.Get(watcher); ok {
			p.SendSystemMessage(watcher, gone)
		}
	}
}

// tell asks the gateway to send a system message to another node.
type tell struct {
	watcher *proto.PID
	message any
}
