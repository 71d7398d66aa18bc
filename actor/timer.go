package actor

import "time"

// TimerRef identifies a timer of one process.
type TimerRef struct{ id uint64 }

// ownedTimer is a timer that lives and dies with a process. Guarded by
// process.mu.
type ownedTimer struct {
	timer  *time.Timer
	msg    any
	every  time.Duration // zero: once
	next   time.Time     // when a repeating timer is due
	queued bool          // its message is in the mailbox
}

// soon is the shortest that a timer is set to. One that is due at once would
// run on the goroutine that sets it if that is the last in a synctest bubble,
// which the race detector cannot take (Go issue 78156).
const soon = time.Nanosecond

// startTimer sends msg to p after d, and then every interval if that is
// positive.
func (p *process) startTimer(d, every time.Duration, msg any) TimerRef {
	a := p.ensureAnnex()
	ref := TimerRef{p.sys.refs.Add(1)}
	t := &ownedTimer{msg: msg, every: every}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseDead || p.fenced() {
		return ref // a zombie sets no timers
	}
	if a.timers == nil {
		a.timers = make(map[TimerRef]*ownedTimer)
	}
	a.timers[ref] = t
	if every > 0 {
		t.next = time.Now().Add(d)
	}
	t.timer = time.AfterFunc(max(d, soon), func() { p.timerDue(ref) })
	return ref
}

// timerDue runs on the timer's goroutine.
func (p *process) timerDue(ref TimerRef) {
	p.mu.Lock()
	t := p.annex.Load().timers[ref]
	if t == nil || p.phase == phaseDead {
		p.mu.Unlock()
		return
	}
	if t.every > 0 {
		// Ticks keep their beat; those that were missed are left out.
		now := time.Now()
		if t.next = t.next.Add(t.every); t.next.Before(now) {
			t.next = now.Add(t.every)
		}
		t.timer.Reset(max(t.next.Sub(now), soon))
	}
	if t.queued {
		p.mu.Unlock() // the process is slow: one tick waits already
		return
	}
	t.queued = true
	p.enqueueLocked(&letter{kind: letterTimer, ref: ref.id, msg: t.msg})
	p.wake(nil) // unlocks
}

// timerFired is called when a timer's message reaches the receiver. It reports
// whether the timer still stands.
func (p *process) timerFired(ref TimerRef) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	timers := p.annex.Load().timers
	t := timers[ref]
	if t == nil {
		return false
	}
	if t.queued = false; t.every == 0 {
		delete(timers, ref)
	}
	return true
}

// cancelTimer stops a timer: its message will not be handled any more, even if
// it is in the mailbox already.
func (p *process) cancelTimer(ref TimerRef) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.annex.Load()
	if a == nil {
		return false
	}
	t := a.timers[ref]
	if t == nil {
		return false
	}
	t.timer.Stop()
	delete(a.timers, ref)
	return true
}

// idleTimer is a receive timeout. last is the receiver's own, the rest is
// guarded by process.mu.
type idleTimer struct {
	timer *time.Timer
	after time.Duration
	last  time.Time // when a message was last handled
}

// setIdle sets or, with d zero, ends the receive timeout. Receiver only.
func (p *process) setIdle(d time.Duration) {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.idle != nil {
		a.idle.timer.Stop()
		a.idle = nil
	}
	p.hand.idle = d > 0 && p.phase != phaseDead && !p.fenced()
	if !p.hand.idle {
		return
	}
	idle := &idleTimer{after: d, last: time.Now()}
	a.idle = idle
	idle.timer = time.AfterFunc(d, func() { p.idleExpired(idle) })
}

// idleExpired runs on the timer's goroutine. Whether the process has really
// been idle only the receiver knows.
func (p *process) idleExpired(idle *idleTimer) {
	p.mu.Lock()
	if p.phase == phaseDead || p.annex.Load().idle != idle {
		p.mu.Unlock()
		return
	}
	p.enqueueLocked(&letter{kind: letterIdle})
	p.wake(nil) // unlocks
}

// touch notes that a message has been handled. Receiver only.
func (p *process) touch() { p.annex.Load().idle.last = time.Now() }

// idleDue decides about an expired receive timeout, and sets the timer for the
// next. Receiver only.
func (p *process) idleDue() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.annex.Load().idle
	if idle == nil {
		return false
	}
	quiet := time.Since(idle.last)
	if quiet < idle.after {
		idle.timer.Reset(max(idle.after-quiet, soon))
		return false
	}
	idle.last = time.Now()
	idle.timer.Reset(idle.after)
	return true
}
