package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// started is the outcome of the last start effect: a process, actor.ErrIgnore,
// or another error.
func (p *plan) started(now time.Time, pid actor.PID, err error) []effect {
	p.out = p.out[:0]
	c := p.op.start[0]
	p.op.start = p.op.start[1:]
	ignored := errors.Is(err, actor.ErrIgnore)
	if ignored {
		err = nil
	}
	switch {
	case p.op.kind == opAdd:
		p.added(now, c, pid, err)
	case err == nil && ignored:
		p.retire(c)
	case err == nil:
		p.runs(now, c, pid)
	case p.op.kind == opBoot:
		p.rollback(c, err)
	case p.op.kind == opRevive:
		p.op = operation{}
		p.failed(now, c, err)
	}
	if p.op.kind == opStart {
		p.answerStart(c, pid, err)
	}
	if p.op.kind == opBoot || p.op.kind == opRollback || p.op.kind == opRevive {
		p.advance(now)
	}
	p.settle(now)
	return p.out
}

// runs notes that c has a process.
func (p *plan) runs(now time.Time, c *child, pid actor.PID) {
	c.state, c.reason = running, nil
	c.started, c.due = now, time.Time{}
	p.family.bind(c, pid)
	if c.temporary() {
		// It will not be started again: let go of what that would take.
		c.expendable, c.args = true, nil
		if !p.simple() {
			c.spec.Start = nil
		}
	}
}

// added ends opAdd. A child that is not wanted is kept only if it has an ID and
// is not Temporary.
func (p *plan) added(now time.Time, c *child, pid actor.PID, err error) {
	if err == nil && (!pid.IsZero() || !p.simple() && !c.temporary()) {
		p.family.add(c, !p.simple())
		if !pid.IsZero() {
			p.runs(now, c, pid)
		}
	}
	p.answerStart(c, pid, err)
}

// answerStart ends opAdd and opStart.
func (p *plan) answerStart(c *child, pid actor.PID, err error) {
	from := p.op.from
	p.op = operation{}
	if err != nil {
		p.report(reportNotStart, c, err)
		err = &StartError{ID: c.spec.ID, Err: err}
	}
	p.reply(from, result[actor.PID]{pid, err})
}

// rollback undoes opBoot.
func (p *plan) rollback(c *child, err error) {
	p.report(reportNotStart, c, err)
	p.op = operation{kind: opRollback, err: &StartError{ID: c.spec.ID, Err: err}, stop: p.family.from(nil)}
	slices.Reverse(p.op.stop)
}

// childEnded deals with the end of a child that was not told to end.
func (p *plan) childEnded(now time.Time, c *child) {
	abnormal := actor.Abnormal(c.reason)
	again := !c.temporary() && (abnormal || c.spec.Restart == Permanent)
	if again || abnormal {
		p.report(reportEnded, c, c.reason)
	}
	if zombie := p.escalates(c); zombie != nil {
		p.retire(c)
		p.end(zombie)
		return
	}
	if again {
		p.restart(now, c, false)
		return
	}
	p.retire(c)
	p.considerShutdown(c)
}

// considerShutdown ends the supervisor if c, which is not restarted, was
// significant and that is enough.
func (p *plan) considerShutdown(c *child) {
	if !c.spec.Significant || p.spec.AutoShutdown == Never {
		return
	}
	if p.spec.AutoShutdown == AllSignificant {
		for s := p.family.first; s != nil; s = s.next {
			if s.spec.Significant && s.state != absent {
				return
			}
		}
	}
	p.end(ErrAutoShutdown)
}

// failed deals with a restart that did not succeed: that counts as one more.
func (p *plan) failed(now time.Time, c *child, err error) {
	p.report(reportNotStart, c, err)
	c.reason = err
	p.restart(now, c, true)
}

// restart counts a restart of c and, if that is not one too many, begins it by
// stopping the siblings concerned. After a failed attempt others have a turn
// first, so that a child that never starts does not occupy its supervisor.
func (p *plan) restart(now time.Time, c *child, failed bool) {
	if !p.window.add(now, p.spec.Intensity.max(), p.spec.period()) {
		p.report(reportIntensity, c, c.reason)
		err := fmt.Errorf("%w: child %q: %v", ErrIntensity, c.spec.ID, c.reason)
		p.retire(c)
		p.end(err)
		return
	}
	c.restarts++
	c.state = restarting
	b := c.spec.Backoff
	if !failed && b.forgets(now.Sub(c.started)) {
		c.streak = 0
	}
	delay := b.delay(c.streak, p.rng)
	c.streak++
	p.clear(now, operation{child: c, delay: delay, retry: failed})
}

// clear begins op, which is about a child that is restarting, with the stop of
// the siblings that are restarted with it.
func (p *plan) clear(now time.Time, op operation) {
	p.stopWaiting(op.child)
	op.kind = opClear
	switch p.spec.Strategy {
	case OneForAll:
		op.stop = p.family.from(nil)
		op.stop = slices.DeleteFunc(op.stop, func(c *child) bool { return c == op.child })
	case RestForOne:
		op.stop = p.family.from(op.child)[1:]
	}
	slices.Reverse(op.stop)
	p.op = op
	p.advance(now)
}

// launch ends opClear: the child is started, or waits for its time.
func (p *plan) launch(now time.Time, op operation) {
	c := op.child
	if op.delay > 0 || op.retry {
		p.op = operation{}
		p.wait(c, now.Add(op.delay))
		return
	}
	p.op = operation{kind: opRevive, child: c}
	switch p.spec.Strategy {
	case OneForAll:
		p.op.start = p.family.from(nil)
	case RestForOne:
		p.op.start = p.family.from(c)
	default:
		p.op.start = []*child{c}
	}
	p.advance(now)
}

// wait puts c among those who wait for their time, behind those of the same.
func (p *plan) wait(c *child, due time.Time) {
	c.due = due
	i, _ := slices.BinarySearchFunc(p.waiting, due, func(w *child, due time.Time) int {
		if w.due.After(due) {
			return 1
		}
		return -1
	})
	p.waiting = slices.Insert(p.waiting, i, c)
}

// stopWaiting takes c from those who wait for their time, if it is there.
func (p *plan) stopWaiting(c *child) {
	if c.state != restarting || c.due.IsZero() {
		return
	}
	i, _ := slices.BinarySearchFunc(p.waiting, c.due, func(w *child, due time.Time) int {
		return w.due.Compare(due)
	})
	for p.waiting[i] != c {
		i++
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	c.due = time.Time{}
}
