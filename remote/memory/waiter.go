package memory

import (
	"sync"
	"time"
)

// waiter is a place where goroutines wait for a change. A lock guards it, which
// is given up while waiting. Its zero value is ready for use.
type waiter struct {
	changed chan struct{} // nil while nobody waits
	timer   *time.Timer   // of an earlier wait, stopped; or nil
}

// rouse lets all go on that wait. The lock is held.
func (w *waiter) rouse() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// wait waits until rouse is called, or until, if that is not zero, or done is
// closed, if that is not nil. The lock is held before and after.
func (w *waiter) wait(lock sync.Locker, until time.Time, done <-chan struct{}) {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	changed := w.changed
	var timer *time.Timer
	var over <-chan time.Time
	if !until.IsZero() {
		if timer, w.timer = w.timer, nil; timer == nil {
			timer = time.NewTimer(time.Until(until))
		} else {
			timer.Reset(time.Until(until))
		}
		over = timer.C
	}
	lock.Unlock()
	select {
	case <-changed:
	case <-over:
	case <-done:
	}
	if timer != nil {
		timer.Stop()
	}
	lock.Lock()
	if timer != nil {
		w.timer = timer
	}
}
