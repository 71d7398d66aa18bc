package supervisor

import (
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// What is reported of children.
const (
	reportEnded     = "child ended"
	reportNotStart  = "child did not start"
	reportNotStop   = "child did not stop in order"
	reportIntensity = "too many restarts"
)

// advance goes on with the operation: to the next stop, the next start, or its
// end.
func (p *plan) advance(now time.Time) {
	for len(p.op.stop) > 0 {
		c := p.op.stop[0]
		switch c.state {
		case running:
			p.tell(now, c)
			return
		case stopping, killing:
			return
		case ended: // by itself, before its turn: that is as good
			p.stopped(c)
		case restarting:
			p.retire(c)
		case absent:
			if c.temporary() {
				p.retire(c)
			}
		}
		p.op.stop = p.op.stop[1:]
	}
	if len(p.op.start) > 0 {
		p.emit(effect{do: doStart, child: p.op.start[0]})
		return
	}
	p.finish(now)
}

// finish is the end of an operation.
func (p *plan) finish(now time.Time) {
	op := p.op
	switch op.kind {
	case opRollback:
		p.end(op.err)
	case opTerminate:
		p.op = operation{}
		p.reply(op.from, result[actor.PID]{})
	case opClear:
		p.launch(now, op)
	case opEnd:
		// It stays the operation: nothing comes after it.
	default:
		p.op = operation{}
	}
}

// awaited is the child whose end is waited for before anything else can be
// done; nil if there is none.
func (p *plan) awaited() *child {
	if p.op.kind == opEnd && p.simple() {
		return p.family.first // all that are left have been told to end
	}
	if len(p.op.stop) > 0 {
		return p.op.stop[0]
	}
	return nil
}

// tell makes c end, the way its Shutdown says.
func (p *plan) tell(now time.Time, c *child) {
	c.due = time.Time{}
	switch d := c.spec.shutdown(); d {
	case BrutalKill:
		p.kill(c)
		return
	case Infinity:
	default:
		c.due = now.Add(d)
	}
	c.state = stopping
	p.emit(effect{do: doStop, child: c, pid: c.pid})
}

func (p *plan) kill(c *child) {
	c.state, c.due = killing, time.Time{}
	p.emit(effect{do: doKill, child: c, pid: c.pid})
}

// killOverdue kills those who were told to end and have not.
func (p *plan) killOverdue(now time.Time) {
	overdue := func(c *child) bool { return c.state == stopping && !c.due.IsZero() && !c.due.After(now) }
	if p.op.kind != opEnd || !p.simple() {
		if c := p.awaited(); c != nil && overdue(c) {
			p.kill(c)
		}
		return
	}
	p.op.due = time.Time{}
	for c := p.family.first; c != nil; c = c.next {
		if overdue(c) {
			p.kill(c)
		}
		p.noteDue(c)
	}
}

// stopInstances tells all instances to end at once.
func (p *plan) stopInstances(now time.Time) {
	for c := p.family.first; c != nil; {
		next := c.next
		if c.state == running {
			p.tell(now, c)
		}
		if c.state.alive() {
			p.noteDue(c)
		} else {
			p.retire(c)
		}
		c = next
	}
}

// noteDue makes the due time of c, which is being stopped, the operation's if
// it is the earliest.
func (p *plan) noteDue(c *child) {
	if !c.due.IsZero() && (p.op.due.IsZero() || c.due.Before(p.op.due)) {
		p.op.due = c.due
	}
}

// gone deals with the end of a child that was told to end.
func (p *plan) gone(now time.Time, c *child) {
	zombie := p.escalates(c)
	p.stopped(c)
	if zombie != nil && !p.over && p.op.kind != opRollback {
		p.end(zombie)
		return
	}
	p.advance(now)
}

// escalates returns the error that ends the supervisor if c has become a zombie
// and must not.
func (p *plan) escalates(c *child) error {
	if c.spec.OnZombie == Escalate && errors.Is(c.reason, actor.ErrZombie) {
		return &ZombieError{ID: c.spec.ID, PID: c.pid}
	}
	return nil
}

// stopped ends the record of a child's process that was stopped.
func (p *plan) stopped(c *child) {
	if !stoppedInOrder(c) {
		p.report(reportNotStop, c, c.reason)
	}
	p.retire(c)
}

// stoppedInOrder reports whether c ended as it should when it is stopped: with
// shutdown, or killed if that is its Shutdown. A child that need not run for
// ever may also have ended in order just before. ErrNoProc says that it had
// ended by itself and that nobody knows why.
func stoppedInOrder(c *child) bool {
	switch {
	case errors.Is(c.reason, actor.ErrNoProc):
		return true
	case c.state == killing && c.spec.shutdown() == BrutalKill && errors.Is(c.reason, actor.ErrKilled):
		return true
	case c.spec.Restart == Permanent:
		return errors.Is(c.reason, actor.ErrShutdown)
	}
	return !actor.Abnormal(c.reason)
}

// retire leaves c without a process. Temporary children and instances are
// forgotten.
func (p *plan) retire(c *child) {
	p.stopWaiting(c)
	c.due, c.streak = time.Time{}, 0
	if p.simple() || c.temporary() {
		if c.state != forgotten {
			c.state = forgotten
			p.family.remove(c)
		}
		return
	}
	c.state = absent
	p.family.forget(c)
}
