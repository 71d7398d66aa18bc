package statem

import (
	"slices"
	"time"
)

// core decides which event is handled next and which timers run: everything
// about a machine but its handlers and the clock. It has no goroutine, lock or
// clock; what is to be done to timers it returns.
//
// The order of events is OTP's: first those that were inserted, then those that
// were postponed in another state, then timeouts of zero in the order in which
// they were set, and only then what comes from outside.
//
// Invariants:
//  1. due holds the keys of those timers that are zero, each once.
//  2. postponed is empty after every change of state.
type core[S comparable] struct {
	state     S
	queue     []Event // what is to be handled; the next one last
	postponed []Event // the oldest first

	// The timers. Those without a name lie apart because they are looked at
	// with every event.
	stateTimer, eventTimer timer
	named                  map[any]timer
	due                    []timerKey

	effects []effect // of the last commit
}

// timer is one that was set and has not ended.
type timer struct {
	set     bool
	zero    bool // it is due: nobody has to wait for it
	content any
}

// effect is what is to be done to a real timer: to start it, replacing one that
// runs, or to stop it.
type effect struct {
	key   timerKey
	start bool
	after time.Duration
}

// expire makes the event of a real timer that has ended.
func (c *core[S]) expire(key timerKey) (Event, bool) {
	t := c.timer(key)
	if !t.set || t.zero {
		return Event{}, false
	}
	c.put(key, timer{})
	return Event{Kind: key.kind, Name: key.name, Content: t.content}, true
}

// take returns the event to be handled now, if there is one.
func (c *core[S]) take() (Event, bool) {
	if last := len(c.queue) - 1; last >= 0 {
		e := c.queue[last]
		c.queue[last] = Event{}
		c.queue = c.queue[:last]
		return e, true
	}
	if len(c.due) == 0 {
		return Event{}, false
	}
	key := c.due[0]
	e := Event{Kind: key.kind, Name: key.name, Content: c.timer(key).content}
	c.drop(key)
	return e, true
}

// waiting reports whether there is something to be handled without waiting.
func (c *core[S]) waiting() bool { return len(c.queue) > 0 || len(c.due) > 0 }

// idle reports whether a plain transition that stays in its state needs no
// commit: there is no timeout that the event ends.
func (c *core[S]) idle() bool { return !c.eventTimer.set }

// commit carries out what was asked for when e was handled, and returns what
// has to be done to real timers. The slice is valid until the next commit.
func (c *core[S]) commit(e Event, t *transition[S]) []effect {
	c.effects = c.effects[:0]
	if t.postpone {
		c.postponed = append(c.postponed, e)
	}
	c.cancel(timerKey{kind: EventTimeout})
	if t.next != c.state {
		c.state = t.next
		c.cancel(timerKey{kind: StateTimeout})
		if len(c.postponed) > 0 {
			c.prepend(c.postponed)
			clear(c.postponed)
			c.postponed = c.postponed[:0]
		}
	}
	c.prepend(t.inserted)
	if len(t.settings) > 0 {
		c.adjust(t.settings)
	}
	if t.hibernate && !c.waiting() {
		c.release()
	}
	return c.effects
}

// prepend puts events before all that wait, the first of them first.
func (c *core[S]) prepend(events []Event) {
	for _, e := range slices.Backward(events) {
		c.queue = append(c.queue, e)
	}
}

// adjust sets timers. Of several settings of one timer the last counts.
func (c *core[S]) adjust(settings []setting) {
	for i := range settings {
		s := &settings[i]
		if superseded(settings[i+1:], s.key) {
			continue
		}
		old := c.timer(s.key)
		switch {
		case s.update && old.set:
			old.content = s.content
			c.put(s.key, old)
		case s.after == Infinity && !s.update:
			c.cancel(s.key)
		case s.after <= 0 || s.update:
			c.cancel(s.key)
			c.put(s.key, timer{set: true, zero: true, content: s.content})
			c.due = append(c.due, s.key)
		default:
			if old.zero {
				c.drop(s.key)
			}
			c.put(s.key, timer{set: true, content: s.content})
			c.effects = append(c.effects, effect{key: s.key, start: true, after: s.after})
		}
	}
}

func superseded(later []setting, key timerKey) bool {
	return slices.ContainsFunc(later, func(s setting) bool { return s.key == key })
}

// cancel ends a timer, if it is set.
func (c *core[S]) cancel(key timerKey) {
	switch t := c.timer(key); {
	case !t.set:
	case t.zero:
		c.drop(key)
	default:
		c.put(key, timer{})
		c.effects = append(c.effects, effect{key: key})
	}
}

// drop ends a timer that is due.
func (c *core[S]) drop(key timerKey) {
	c.put(key, timer{})
	i := slices.Index(c.due, key)
	c.due = slices.Delete(c.due, i, i+1)
}

func (c *core[S]) timer(key timerKey) timer {
	switch key.kind {
	case StateTimeout:
		return c.stateTimer
	case EventTimeout:
		return c.eventTimer
	}
	return c.named[key.name]
}

func (c *core[S]) put(key timerKey, t timer) {
	switch {
	case key.kind == StateTimeout:
		c.stateTimer = t
	case key.kind == EventTimeout:
		c.eventTimer = t
	case !t.set:
		delete(c.named, key.name)
	default:
		if c.named == nil {
			c.named = make(map[any]timer)
		}
		c.named[key.name] = t
	}
}

// release gives back the memory that is held in reserve.
func (c *core[S]) release() {
	c.queue, c.due = nil, nil
	c.postponed = slices.Clip(c.postponed)
	if len(c.named) == 0 {
		c.named = nil
	}
}
