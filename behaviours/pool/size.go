package pool

import "time"

// When a pool grows and shrinks. The desk looks at it with every event that may
// make it grow, and with each tick.

// growAgain is how long a pool does not try to grow when a start has failed.
const growAgain = time.Second

// workers counts the slots in which there is or will be a worker, and says
// whether one of them is growing.
func (d *desk) workers() (n int, grows bool) {
	for i := range d.slots {
		switch d.slots[i].state {
		case up, down, starting:
			n++
		case growing:
			n, grows = n+1, true
		}
	}
	return n, grows
}

// oldest returns since when the job waits that has waited longest.
func (d *desk) oldest() (since time.Time, some bool) {
	look := func(l *line) {
		if j := l.first(); j != nil && (!some || j.since.Before(since)) {
			since, some = j.since, true
		}
	}
	look(&d.common)
	for i := range d.slots {
		look(&d.slots[i].own)
	}
	return since, some
}

// room returns a slot in which a worker can be started because there is too much
// to do, negative if there is none: one at a time, and not beyond Max.
func (d *desk) room() int {
	if _, grows := d.workers(); grows || d.cfg.Max == d.cfg.Size {
		return -1
	}
	for i := range d.slots {
		if d.slots[i].state == empty {
			return i
		}
	}
	return -1
}

// grow starts a worker if there is too much to do for those that are there.
func (d *desk) grow(now time.Time) {
	if len(d.waiting) == 0 || now.Before(d.barred) {
		return
	}
	since, _ := d.oldest()
	if len(d.waiting) < d.cfg.GrowQueue && now.Sub(since) < d.cfg.GrowWait {
		return
	}
	if i := d.room(); i >= 0 {
		d.slots[i].state = growing
		d.do(startWorker, 0, i)
	}
}

// tick grows or shrinks the pool if it is time to.
func (d *desk) tick(now time.Time) []effect {
	d.begin()
	d.grow(now)
	for i := len(d.slots) - 1; i >= 0 && d.tooMany(); i-- {
		if d.surplus(i) && now.Sub(d.slots[i].idle) >= d.cfg.Idle {
			d.slots[i].state = stopping
			d.do(stopWorker, 0, i)
		}
	}
	return d.effects
}

// tooMany reports whether there are workers that the pool can do without.
func (d *desk) tooMany() bool {
	n, grows := d.workers()
	return n > d.cfg.Size && !grows
}

// surplus reports whether the worker in slot i has nothing to do.
func (d *desk) surplus(i int) bool {
	s := &d.slots[i]
	return s.state == up && s.busy == 0 && s.own.first() == nil
}

// deadline is when a tick will find something to do if nothing happens before;
// zero if never.
func (d *desk) deadline() (at time.Time) {
	if d.cfg.Max == d.cfg.Size {
		return at
	}
	earlier := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if since, some := d.oldest(); some && d.room() >= 0 {
		due := since.Add(d.cfg.GrowWait)
		if len(d.waiting) >= d.cfg.GrowQueue {
			due = since
		}
		if due.Before(d.barred) {
			due = d.barred
		}
		earlier(due)
	}
	if d.tooMany() {
		for i := range d.slots {
			if d.surplus(i) {
				earlier(d.slots[i].idle.Add(d.cfg.Idle))
			}
		}
	}
	return at
}
