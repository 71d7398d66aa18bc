package statem

import (
	"errors"
	"fmt"
	"slices"
)

// valid reports which of its invariants c breaks. Tests ask after every step.
func (c *core[S]) valid() error {
	var errs []error
	zero := 0
	for key, t := range c.timers() {
		if t.set && t.zero {
			zero++
			if !slices.Contains(c.due, key) {
				errs = append(errs, fmt.Errorf("invariant 1: %v is zero and not due", key))
			}
		}
	}
	if zero != len(c.due) {
		errs = append(errs, fmt.Errorf("invariant 1: %d timers are zero, %d due", zero, len(c.due)))
	}
	return errors.Join(errs...)
}

// timers returns all timers.
func (c *core[S]) timers() map[timerKey]timer {
	all := map[timerKey]timer{{kind: StateTimeout}: c.stateTimer, {kind: EventTimeout}: c.eventTimer}
	for name, t := range c.named {
		all[timerKey{kind: Timeout, name: name}] = t
	}
	return all
}
