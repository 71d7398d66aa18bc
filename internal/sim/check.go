package sim

import (
	"fmt"
	"time"
)

// Violation is something that must not be.
type Violation struct {
	// Checker is what has found it, At when in the time of the world.
	Checker string
	At      time.Duration
	What    string
}

// String says all of it in a line.
func (v Violation) String() string {
	return fmt.Sprintf("%s at %v: %s", v.Checker, v.At.Round(time.Millisecond), v.What)
}

// violation notes that something is wrong. More than so many are only counted.
func (w *world) violation(checker, format string, args ...any) {
	if len(w.found) >= w.cfg.MaxViolations {
		w.beyond++
		return
	}
	w.found = append(w.found, Violation{checker, w.elapsed(), fmt.Sprintf(format, args...)})
}

// checker finds what is wrong with a world at one moment. It calls report until
// that returns false: one violation is enough for who only asks whether.
type checker struct {
	name  string
	check func(w *world, report func(format string, args ...any) bool)
}

// safety are those that hold at all times, liveness those that hold when the
// world was healed for long enough.
func safety() []checker {
	return []checker{
		{"size", checkSizes},
		{"dead", checkDead},
		{"gone", checkGone},
	}
}

func liveness() []checker {
	return append(safety(),
		checker{"symmetry", checkSymmetry},
		checker{"connected", checkConnected},
		checker{"evicted", checkEvicted},
		checker{"member", checkMembers},
		checker{"delivery", checkDelivery},
	)
}

// holds reports whether nothing is wrong.
func (w *world) holds(checkers []checker) bool {
	for _, c := range checkers {
		ok := true
		c.check(w, func(string, ...any) bool {
			ok = false
			return false
		})
		if !ok {
			return false
		}
	}
	return true
}

// demand notes everything that is wrong.
func (w *world) demand(checkers []checker) {
	for _, c := range checkers {
		c.check(w, func(format string, args ...any) bool {
			w.violation(c.name, format, args...)
			return true
		})
	}
}
