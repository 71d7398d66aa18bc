package actor

import (
	"context"
	"time"
)

// fewCalls is how many calls of a custody are looked at one by one.
const fewCalls = 32

// custody is a list of calls. Those from other nodes have an index besides once
// one of them was looked for among many, until the list is empty: callers who
// give up all at once would else have the whole list walked past for each.
type custody struct {
	first *call
	index map[watchKey]*call
}

func (l *custody) add(c *call) {
	c.held = true
	c.prev, c.next = nil, l.first
	if l.first != nil {
		l.first.prev = c
	}
	l.first = c
	if l.index != nil && c.origin.node != (NodeHandle{}) {
		l.index[c.origin.key()] = c
	}
}

func (l *custody) remove(c *call) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next, c.held = nil, nil, false
	if l.index != nil {
		if delete(l.index, c.origin.key()); l.first == nil {
			l.index = nil
		}
	}
}

// find returns the call from another node that has this key there, or nil.
func (l *custody) find(key watchKey) *call {
	if l.index != nil {
		return l.index[key]
	}
	c := l.first
	for range fewCalls {
		if c == nil || c.origin.key() == key {
			return c
		}
		c = c.next
	}
	l.index = make(map[watchKey]*call)
	for c = l.first; c != nil; c = c.next {
		if c.origin.node != (NodeHandle{}) {
			l.index[c.origin.key()] = c
		}
	}
	return l.index[key]
}

// failCalls answers every request p has accepted with reason.
func (p *process) failCalls(reason error) {
	reason = calleesOwn(reason)
	for {
		p.mu.Lock()
		var c *call
		if a := p.annex.Load(); a != nil {
			c = a.calls.first
		}
		if c == nil {
			p.mu.Unlock()
			return
		}
		p.annex.Load().calls.remove(c)
		ref := c.ref()
		p.mu.Unlock()
		ref.complete(nil, reason, false)
	}
}

// deliverCall puts the request c into p's mailbox and custody.
func (p *process) deliverCall(ctx context.Context, c *call, from *process) error {
	a := p.ensureAnnex()
	p.mu.Lock()
	if p.phase == phaseDead {
		p.mu.Unlock()
		return ErrNoProc
	}
	c.callee = p
	a.calls.add(c)
	if p.mailbox.bounded {
		return p.deliverBounded(ctx, c, from) // unlocks
	}
	p.mailbox.push(c, p.sys)
	p.wake(from) // unlocks
	return nil
}

// acceptAbroad takes c, which came from another node, into p's custody, and notes
// that the loss of that node concerns p. p.mu is held.
func (p *process) acceptAbroad(c *call) {
	a := p.ensureAnnex()
	c.callee = p
	a.calls.add(c)
	if a.caller != c.origin.node {
		a.caller, a.abroad = c.origin.node, true
		p.sys.peers.watch(c.origin.node, p.id)
	}
}

// handleCall lets the actor handle the request msg of r.
func (p *process) handleCall(r callRef, msg any) error {
	if !r.waiting() {
		return nil // the caller has given up: nobody would see the reply
	}
	p.current = r
	if r.word&refKept != 0 {
		p.noteCall()
	}
	err := p.actor.Receive(p.self(), msg)
	if p.current.word&refKept != 0 {
		p.forgetMessage()
	} else if err == nil && !p.fenced() {
		p.current.complete(nil, ErrNoReply, false)
	}
	p.current = callRef{}
	if a := p.annex.Load(); a.limited != nil {
		a.limited.leave()
		a.limited = nil
	}
	return err
}

// keepCall notes that the call in hand will be answered later, perhaps by
// another goroutine, after which it may be reused at any time: what the handler
// may still want to know of it is copied.
func (p *process) keepCall() {
	if p.current.word&refKept == 0 && p.current.waiting() {
		a, c := p.annex.Load(), p.current.c
		a.trace, a.deadline = c.trace, c.dueBy()
	}
	p.current.word |= refKept
}

// noteCall is keepCall of a call that was kept before it was stashed: it may be
// answered at any time. While it waits, p.mu keeps it from being reused.
func (p *process) noteCall() {
	a, c := p.annex.Load(), p.current.c
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current.waiting() {
		a.trace, a.deadline = c.trace, c.dueBy()
	}
}

// forgetMessage ends what was noted of the message in hand.
func (p *process) forgetMessage() {
	if a := p.annex.Load(); a != nil {
		a.limited.leave()
		a.trace, a.deadline, a.limited = nil, time.Time{}, nil
	}
}
