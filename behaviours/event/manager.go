package event

import (
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// New returns the actor of an event manager, without handlers. It traps exits.
func New() actor.Actor { return new(manager) }

// Start returns the start function of a supervised manager. Its handlers are
// gone when it is restarted: the owners of supervised ones are told, and can add
// them again.
func Start(opts ...actor.SpawnOption) actor.StartFunc { return actor.Start(New, opts...) }

// manager is an event manager.
type manager struct {
	handlers []installed // in the order in which they were added
}

// installed is one handler.
type installed struct {
	id      ID
	handler Handler
	owner   actor.PID // zero unless it is supervised
}

func (m *manager) Init(self *actor.Self) error {
	self.TrapExit(true)
	return nil
}

func (m *manager) Receive(self *actor.Self, msg any) error {
	if !self.IsCall() {
		switch e := msg.(type) {
		case actor.Exit:
			if !m.orphan(self, e) {
				m.inform(self, msg)
			}
		case actor.Down, actor.NodeDown, actor.ReceiveTimeout:
			m.inform(self, msg)
		default:
			m.notify(self, msg)
		}
		return nil
	}
	switch r := msg.(type) {
	case addRequest:
		return reply(self, nil, m.add(self, r))
	case deleteRequest:
		value, err := m.delete(self, r)
		return reply(self, value, err)
	case replaceRequest:
		return reply(self, nil, m.replace(self, r))
	case callRequest:
		m.call(self, r)
	case whichRequest:
		return self.Reply(m.which())
	case order.Stop:
		return r.Obey(self)
	default: // an event for whose handling somebody waits
		m.notify(self, msg)
		return self.Reply(true)
	}
	return nil
}

func reply(self *actor.Self, value any, err error) error {
	if err != nil {
		return self.ReplyError(err)
	}
	return self.Reply(value)
}

// notify hands an event to all handlers.
func (m *manager) notify(self *actor.Self, event any) {
	for i := 0; i < len(m.handlers); {
		next, err := handled(self, m.handlers[i].handler, event)
		if err != nil || next.Remove || next.Swap != nil {
			if !m.follow(self, i, next, err) {
				continue
			}
		}
		i++
	}
}

// inform hands a message of the kernel's to those that want it.
func (m *manager) inform(self *actor.Self, msg any) {
	for i := 0; i < len(m.handlers); {
		next, err := informed(self, m.handlers[i].handler, msg)
		if m.follow(self, i, next, err) {
			i++
		}
	}
}

// follow does what the i-th handler has asked for, or removes it if it has
// failed. It reports whether there is an i-th handler still, which may be
// another one.
func (m *manager) follow(self *actor.Self, i int, next Next, err error) (there bool) {
	switch {
	case err != nil:
		m.logFailure(self, m.handlers[i].id, err)
		m.remove(self, i, End{Reason: err}, err)
		return false
	case next.Swap != nil:
		err := m.swap(self, i, *next.Swap, m.handlers[i].owner)
		if err == ErrExists { // the old one is there still, and has failed
			m.logFailure(self, m.handlers[i].id, err)
			m.remove(self, i, End{Reason: err}, err)
		}
		return err == nil
	case next.Remove:
		m.remove(self, i, End{Reason: ErrRemoved}, actor.ErrNormal)
		return false
	}
	return true
}

func (m *manager) logFailure(self *actor.Self, id ID, err error) {
	self.Logger().Error("event handler failed and was removed", "handler", string(id), "reason", err)
}

// remove removes the i-th handler and tells its owner why.
func (m *manager) remove(self *actor.Self, i int, end End, reason error) any {
	h := m.handlers[i]
	m.handlers = slices.Delete(m.handlers, i, i+1)
	value := terminated(self, h.handler, end)
	m.tell(self, h, reason)
	return value
}

// tell tells the owner of h, if it has one, that h has been removed.
func (m *manager) tell(self *actor.Self, h installed, reason error) {
	if !h.owner.IsZero() {
		_ = self.Send(h.owner, HandlerExit{Manager: self.PID(), ID: h.id, Reason: reason})
	}
}

func (m *manager) find(id ID) int {
	return slices.IndexFunc(m.handlers, func(h installed) bool { return h.id == id })
}

func (m *manager) add(self *actor.Self, r addRequest) error {
	if r.handler == nil {
		return ErrNilHandler
	}
	if m.find(r.id) >= 0 {
		return ErrExists
	}
	if err := initialised(self, r.handler); err != nil {
		return err
	}
	m.handlers = append(m.handlers, installed(r))
	m.supervise(self, r.owner)
	return nil
}

// supervise links the manager with the owner of a handler: whichever ends first
// tells the other. If owner has ended already the Exit comes at once.
func (m *manager) supervise(self *actor.Self, owner actor.PID) {
	if !owner.IsZero() {
		_ = self.Link(owner)
	}
}

func (m *manager) delete(self *actor.Self, r deleteRequest) (any, error) {
	i := m.find(r.ID)
	if i < 0 {
		return nil, ErrNoHandler
	}
	return m.remove(self, i, End{Reason: ErrDeleted, Arg: r.Arg}, actor.ErrNormal), nil
}

func (m *manager) replace(self *actor.Self, r replaceRequest) error {
	if r.swap.Handler == nil {
		return ErrNilHandler
	}
	i := m.find(r.old)
	if r.swap.ID == "" {
		r.swap.ID = r.old
	}
	owner := r.owner
	if i >= 0 && !r.supervised {
		owner = m.handlers[i].owner
	}
	if err := m.swap(self, i, r.swap, owner); err != nil {
		return err
	}
	if r.supervised {
		m.supervise(self, owner)
	}
	return nil
}

// swap puts another handler into the place of the i-th, or at the end if i is
// negative. After an error neither is there.
func (m *manager) swap(self *actor.Self, i int, s Swap, owner actor.PID) error {
	var old installed
	if i >= 0 {
		old = m.handlers[i]
	}
	if s.ID == "" {
		s.ID = old.id
	}
	if s.Handler == nil {
		m.remove(self, i, End{Reason: ErrNilHandler}, ErrNilHandler)
		return ErrNilHandler
	}
	if at := m.find(s.ID); at >= 0 && at != i {
		return ErrExists
	}
	var state any = ErrNoHandler
	if i >= 0 {
		state = terminated(self, old.handler, End{Reason: ErrSwapped, Arg: s.Arg})
	}
	if err := inherited(self, s.Handler, state); err != nil {
		if i >= 0 {
			m.handlers = slices.Delete(m.handlers, i, i+1)
			m.tell(self, old, err)
		}
		return err
	}
	now := installed{s.ID, s.Handler, owner}
	if i < 0 {
		m.handlers = append(m.handlers, now)
		return nil
	}
	m.handlers[i] = now
	if old.owner != owner {
		m.tell(self, old, ErrSwapped)
	}
	return nil
}

func (m *manager) call(self *actor.Self, r callRequest) {
	i := m.find(r.ID)
	if i < 0 {
		_ = self.ReplyError(ErrNoHandler)
		return
	}
	h, ok := m.handlers[i].handler.(CallHandler)
	if !ok {
		_ = self.ReplyError(ErrNoCalls)
		return
	}
	next, err := called(self, h, r.Req)
	if err != nil {
		_ = self.ReplyError(err)
	}
	m.follow(self, i, next, err)
}

func (m *manager) which() []ID {
	ids := make([]ID, len(m.handlers))
	for i, h := range m.handlers {
		ids[i] = h.id
	}
	return ids
}

// orphan removes the handlers of an owner that has ended. It reports whether
// there were any.
func (m *manager) orphan(self *actor.Self, e actor.Exit) bool {
	found := false
	for i := 0; i < len(m.handlers); {
		if m.handlers[i].owner != e.From {
			i++
			continue
		}
		found = true
		end := &OwnerError{Owner: e.From, Reason: e.Reason}
		m.remove(self, i, End{Reason: end}, end)
	}
	return found
}

func (m *manager) Terminate(self *actor.Self, reason error) {
	for len(m.handlers) > 0 {
		m.remove(self, 0, End{Reason: reason}, actor.ErrShutdown)
	}
}
