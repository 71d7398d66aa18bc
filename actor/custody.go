package actor

import (
	"context"
	"time"
)

// custody is a list of calls.
type custody struct{ first *call }

func (l *custody) add(c *call) {
	c.held = true
	c.prev, c.next = nil, l.first
	if l.first != nil {
		l.first.prev = c
	}
	l.first = c
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
}

// failCalls answers every request p has accepted with reason.
func (p *process) failCalls(reason error) {
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

// forgetMessage ends what was noted of the message in hand.
func (p *process) forgetMessage() {
	if a := p.annex.Load(); a != nil {
		a.limited.leave()
		a.trace, a.deadline, a.limited = nil, time.Time{}, nil
	}
}
