package supervisor

import (
	"errors"
	"fmt"
)

// valid checks the invariants of the plan between two events, and those of its
// family. It visits every child: it is for tests.
func (p *plan) valid() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if p.op.kind == opNone && !p.over && len(p.queue) > 0 {
		report("%d events wait for no operation", len(p.queue))
	}
	for i, e := range p.out {
		if e.do == doStart && i != len(p.out)-1 {
			report("effect %d of %d is a start", i, len(p.out))
		}
	}
	for i, c := range p.waiting {
		if c.state != restarting || c.due.IsZero() {
			report("%q waits in state %d, due %v", c.spec.ID, c.state, c.due)
		}
		if i > 0 && c.due.Before(p.waiting[i-1].due) {
			report("%q waits behind one that is due later", c.spec.ID)
		}
	}
	starting := len(p.out) > 0 && p.out[len(p.out)-1].do == doStart
	if len(p.op.stop) > 0 && !starting {
		if s := p.op.stop[0].state; s != stopping && s != killing {
			report("%q is awaited in state %d", p.op.stop[0].spec.ID, s)
		}
	}
	errs = append(errs, p.family.mistakes(p)...)
	return errors.Join(errs...)
}

func (f *family) mistakes(p *plan) []error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	count, pids, waiting := 0, 0, 0
	var prev *child
	for c := f.first; c != nil; prev, c = c, c.next {
		count++
		if c.prev != prev {
			report("%q is wrongly linked", c.spec.ID)
		}
		if !p.simple() && f.byID[c.spec.ID] != c {
			report("%q is not found by its ID", c.spec.ID)
		}
		if !c.pid.IsZero() {
			pids++
			if f.byPID[c.pid] != c {
				report("%q is not found by its PID", c.spec.ID)
			}
		}
		if c.state == forgotten || c.state.alive() == c.pid.IsZero() && c.state != ended && c.state != restarting {
			report("%q has state %d and PID %v", c.spec.ID, c.state, c.pid)
		}
		if c.state == restarting && !c.due.IsZero() {
			waiting++
		}
	}
	if f.last != prev || f.count != count || len(f.byPID) != pids || !p.simple() && len(f.byID) != count {
		report("%d children, %d with PIDs; said to be %d, %d, %d", count, pids, f.count, len(f.byPID), len(f.byID))
	}
	if waiting != len(p.waiting) {
		report("%d children wait, %d are listed", waiting, len(p.waiting))
	}
	return errs
}
