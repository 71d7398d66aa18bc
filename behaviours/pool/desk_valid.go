package pool

import (
	"errors"
	"fmt"
)

// valid reports which of its invariants d breaks.
func (d *desk) valid() error {
	var errs []error
	lines := 0
	count := func(l *line) {
		for _, j := range l.jobs {
			if !j.gone {
				lines++
				if d.waiting[j.id] != j {
					errs = append(errs, fmt.Errorf("invariant 1: job %d is in a line and does not wait", j.id))
				}
			}
		}
	}
	count(&d.common)
	grow := 0
	for i := range d.slots {
		s := &d.slots[i]
		count(&s.own)
		if s.state == growing {
			grow++
		}
		if s.state == up && s.busy < d.cfg.Limit && (s.own.first() != nil || d.common.first() != nil) {
			errs = append(errs, fmt.Errorf("invariant 2: slot %d is free and jobs wait", i))
		}
		if s.busy < 0 || s.busy > d.cfg.Limit {
			errs = append(errs, fmt.Errorf("slot %d has %d jobs in hand", i, s.busy))
		}
	}
	if lines != len(d.waiting) {
		errs = append(errs, fmt.Errorf("invariant 1: %d jobs in lines, %d wait", lines, len(d.waiting)))
	}
	if grow > 1 {
		errs = append(errs, fmt.Errorf("invariant 3: %d workers are being started", grow))
	}
	return errors.Join(errs...)
}
