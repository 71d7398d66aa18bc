package statem

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// process is a Machine as the kernel sees it: it hands events to the handlers,
// lets the core decide what follows, and keeps the timers.
type process[S comparable] struct {
	machine    Machine[S] // the last of behaviours
	enterer    Enterer[S] // machine, if it is one
	behaviours []Machine[S]

	core  core[S]
	turn  Turn[S]
	turns uint32
	begun bool // the first state has been entered

	stateTimer, eventTimer actor.TimerRef
	named                  map[any]actor.TimerRef
}

// The messages of timers, and of a machine that has something to do when it is
// spawned.
type (
	stateFired struct{}
	eventFired struct{}
	namedFired struct{ name any }
	wake       struct{}
)

func (p *process[S]) use(m Machine[S]) {
	p.machine = m
	p.enterer, _ = m.(Enterer[S])
}

func (p *process[S]) Init(self *actor.Self) error {
	t := &p.turn
	t.self = self
	var none S
	t.begin(none)
	first, err := p.machine.Init(t)
	if err != nil {
		return err
	}
	if t.fault != nil {
		return t.fault
	}
	t.next, t.postpone, t.repeat = first, false, false
	p.core.state = first
	if p.enterer == nil && len(t.inserted) == 0 {
		p.begun = true
		p.apply(p.core.commit(Event{}, &t.transition))
		if !p.core.waiting() {
			return nil
		}
	}
	// The rest is done by the process itself, before any other message: its
	// spawner does not wait for it. If the mailbox is full there is one anyway.
	_ = self.Send(self.PID(), wake{})
	return nil
}

func (p *process[S]) Receive(self *actor.Self, msg any) error {
	if !p.begun || p.core.waiting() {
		if err := p.first(); err != nil {
			return err
		}
	}
	if self.IsCall() {
		if stop, ok := msg.(order.Stop); ok {
			return stop.Obey(self)
		}
		return p.run(Event{Kind: Call, Content: msg}, true)
	}
	kind := Cast
	switch m := msg.(type) {
	case wake:
		return nil
	case stateFired:
		return p.expired(timerKey{kind: StateTimeout})
	case eventFired:
		return p.expired(timerKey{kind: EventTimeout})
	case namedFired:
		return p.expired(timerKey{kind: Timeout, name: m.name})
	case actor.Down, actor.Exit, actor.NodeDown, actor.ReceiveTimeout:
		kind = Info
	}
	return p.run(Event{Kind: kind, Content: msg}, false)
}

// first does what Init has left to the process.
func (p *process[S]) first() error {
	t := &p.turn
	t.event, t.live, t.kept = Event{Kind: Internal}, false, false
	if !p.begun {
		p.begun = true
		if err := p.enter(true); err != nil {
			return err
		}
		p.apply(p.core.commit(Event{}, &t.transition))
	}
	if e, ok := p.core.take(); ok {
		return p.run(e, false)
	}
	return nil
}

// expired handles the end of a real timer.
func (p *process[S]) expired(key timerKey) error {
	p.noteTimer(key, actor.TimerRef{})
	if e, ok := p.core.expire(key); ok {
		return p.run(e, false)
	}
	return nil
}

// run handles e and all that follows from it without waiting.
func (p *process[S]) run(e Event, live bool) error {
	t := &p.turn
	for {
		p.turns++
		e.turn = p.turns
		t.begin(p.core.state)
		t.state, t.event, t.live, t.kept = p.core.state, e, live, false
		if err := p.machine.Handle(t, e); err != nil {
			return err
		}
		if t.next != p.core.state || t.repeat || t.fault != nil || !t.plain() || !p.core.idle() {
			if err := p.transit(); err != nil {
				return err
			}
		}
		if e.Kind == Call && !t.kept && !live {
			t.event.from.ReplyError(actor.ErrNoReply) // unless it was answered
		}
		if !p.core.waiting() {
			t.event = Event{} // which would be held for as long as nothing comes
			return nil
		}
		e, _ = p.core.take()
		live = false
	}
}

// transit does what the handler of the event in hand has asked for.
func (p *process[S]) transit() error {
	t := &p.turn
	if t.fault != nil {
		return t.fault
	}
	if t.postpone {
		if len(p.core.postponed) >= PostponeLimit {
			return ErrPostponeLimit
		}
		t.Keep()
	}
	if err := p.enter(t.repeat || t.next != p.core.state); err != nil {
		return err
	}
	p.apply(p.core.commit(t.event, &t.transition))
	if t.hibernate {
		t.inserted, t.settings = nil, nil
	}
	return nil
}

// enter calls Enter, again and again while it repeats the state.
func (p *process[S]) enter(again bool) error {
	t := &p.turn
	if p.enterer == nil {
		return t.fault
	}
	t.entering, t.state = true, t.next
	for again {
		t.repeat = false
		if err := p.enterer.Enter(t, p.core.state); err != nil {
			return err
		}
		again = t.repeat
	}
	return t.fault
}

// apply sets and stops real timers.
func (p *process[S]) apply(effects []effect) {
	self := p.turn.self
	for _, e := range effects {
		ref := p.timerRef(e.key)
		self.CancelTimer(ref)
		ref = actor.TimerRef{}
		switch {
		case !e.start:
		case e.key.kind == StateTimeout:
			ref = self.SendAfter(e.after, stateFired{})
		case e.key.kind == EventTimeout:
			ref = self.SendAfter(e.after, eventFired{})
		default:
			ref = self.SendAfter(e.after, namedFired{e.key.name})
		}
		p.noteTimer(e.key, ref)
	}
}

func (p *process[S]) timerRef(key timerKey) actor.TimerRef {
	switch key.kind {
	case StateTimeout:
		return p.stateTimer
	case EventTimeout:
		return p.eventTimer
	}
	return p.named[key.name]
}

func (p *process[S]) noteTimer(key timerKey, ref actor.TimerRef) {
	switch {
	case key.kind == StateTimeout:
		p.stateTimer = ref
	case key.kind == EventTimeout:
		p.eventTimer = ref
	case ref == (actor.TimerRef{}):
		delete(p.named, key.name)
	default:
		if p.named == nil {
			p.named = make(map[any]actor.TimerRef)
		}
		p.named[key.name] = ref
	}
}

func (p *process[S]) Terminate(_ *actor.Self, reason error) {
	if m, ok := p.machine.(Terminator[S]); ok {
		p.turn.state = p.core.state
		m.Terminate(&p.turn, reason)
	}
}
