package statem

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// Turn is the handling of one event, through which a handler says what follows.
// What it asks for is done when it has returned nil, in OTP's order whatever
// the order in which it asked:
//
//  1. If the state changes or is repeated, Enter is called, and adds its wishes.
//  2. The event is put aside if it was postponed.
//  3. If the state changes, all postponed events are to be handled next, the
//     oldest first, and the state timeout is cancelled.
//  4. Inserted events come before them, in the order in which they were inserted.
//  5. The event timeout is cancelled. Then timers are set; of several wishes for
//     one timer the last counts. Timeouts of zero are events that are handled
//     before what comes from outside.
//
// Replies are given at once. A Turn belongs to the process's goroutine and must
// not be kept after the handler has returned.
type Turn[S comparable] struct {
	transition[S]
	process *process[S]
	self    *actor.Self
	state   S
	event   Event // in hand
	live    bool  // the event is a Call that the kernel has in hand
	kept    bool  // somebody will answer it later
}

// Self returns the process. Its Reply, From, Stash and Become are for actors
// that are no machine: use the Turn's.
func (t *Turn[S]) Self() *actor.Self { return t.self }

// State returns the state in which the event is handled, in Enter the state that
// is entered.
func (t *Turn[S]) State() S { return t.state }

// Next makes state the next one. Without it the state stays. If it is equal to
// the present one nothing changes: see [Turn.Repeat].
func (t *Turn[S]) Next(state S) { t.move(state) }

// Repeat stays in the state, and lets Enter be called as if it had been entered
// again. Nothing else is as with a change: postponed events wait, and the state
// timeout runs on.
func (t *Turn[S]) Repeat() { t.repeat = true }

// Postpone puts the event aside until the state has changed. If it is a Call its
// caller goes on waiting. At the [PostponeLimit] the machine ends.
func (t *Turn[S]) Postpone() { t.putOff() }

// Hibernate gives memory that is held in reserve back if the machine then waits.
// A process that waits has no goroutine anyway.
func (t *Turn[S]) Hibernate() { t.hibernate = true }

// Reply answers the event in hand, if it is a Call, at once. It always returns
// nil, so that a handler can end with it. The first reply counts.
func (t *Turn[S]) Reply(value any) error {
	if t.live && !t.kept {
		return t.self.Reply(value)
	}
	t.event.from.Reply(value)
	return nil
}

// ReplyError answers the event in hand with an error; see actor.Self.ReplyError.
func (t *Turn[S]) ReplyError(err error) error {
	if t.live && !t.kept {
		return t.self.ReplyError(err)
	}
	t.event.from.ReplyError(err)
	return nil
}

// From keeps the Call in hand to be answered later, in whatever state and from
// wherever. It is nobody if the event is no Call. A Call that is neither
// answered, nor kept, nor postponed fails with actor.ErrNoReply.
func (t *Turn[S]) From() actor.From {
	if t.live && !t.kept {
		t.event.from = t.self.From()
	}
	t.kept = true
	return t.event.from
}

// Keep returns the event in hand as one that can be inserted in a later Turn. If
// it is a Call, its caller waits until then.
func (t *Turn[S]) Keep() Event {
	t.self.Retain() // its memory may be lent
	t.From()
	return t.event
}

// Internal inserts an event of kind Internal.
func (t *Turn[S]) Internal(content any) { t.insert(Event{Kind: Internal, Content: content}) }

// Insert inserts an event of any kind, to be handled before all others that
// wait: OTP's next_event. The event in hand can be inserted as it is, one of
// before if it is from [Turn.Keep].
func (t *Turn[S]) Insert(e Event) {
	if e.Kind == Call && e.turn == t.event.turn && t.event.Kind == Call && !t.entering {
		e.from = t.From()
	}
	t.insert(e)
}

// StateTimeout sets the time for the state: after d, which may be zero, an event
// with content comes, unless the state has changed before. Setting it again
// replaces it. For an absolute time pass time.Until(t).
func (t *Turn[S]) StateTimeout(d time.Duration, content any) {
	t.set(setting{key: timerKey{kind: StateTimeout}, after: d, content: content})
}

// CancelStateTimeout takes the time for the state back.
func (t *Turn[S]) CancelStateTimeout() { t.StateTimeout(Infinity, nil) }

// UpdateStateTimeout gives the time for the state another content. If none is
// set, it is due at once.
func (t *Turn[S]) UpdateStateTimeout(content any) {
	t.set(setting{key: timerKey{kind: StateTimeout}, update: true, content: content})
}

// EventTimeout sets the time for the next event: after d, which may be zero, an
// event with content comes, unless any other has come before. OTP calls it
// timeout.
func (t *Turn[S]) EventTimeout(d time.Duration, content any) {
	t.set(setting{key: timerKey{kind: EventTimeout}, after: d, content: content})
}

// CancelEventTimeout takes the time for the next event back.
func (t *Turn[S]) CancelEventTimeout() { t.EventTimeout(Infinity, nil) }

// UpdateEventTimeout gives the time for the next event another content. Since
// every event ends it, it is due at once unless it was set in the same Turn
// before, which this then replaces.
func (t *Turn[S]) UpdateEventTimeout(content any) {
	t.set(setting{key: timerKey{kind: EventTimeout}, update: true, content: content})
}

// Timeout sets a time that nothing but [Turn.CancelTimeout] ends: after d, which
// may be zero, an event with that name and content comes. There may be any
// number with different names, which must be comparable and not nil. OTP calls
// it a generic timeout.
func (t *Turn[S]) Timeout(name any, d time.Duration, content any) {
	t.set(setting{key: t.named(name), after: d, content: content})
}

// CancelTimeout takes a time with a name back.
func (t *Turn[S]) CancelTimeout(name any) { t.Timeout(name, Infinity, nil) }

// UpdateTimeout gives a time with a name another content. If none is set, it is
// due at once.
func (t *Turn[S]) UpdateTimeout(name, content any) {
	t.set(setting{key: t.named(name), update: true, content: content})
}

func (t *Turn[S]) named(name any) timerKey {
	if name == nil {
		t.fail(fmt.Errorf("%w: a timeout without a name", ErrInsert))
	}
	return timerKey{kind: Timeout, name: name}
}

// Change lets m handle the events from the next one on, or Enter if this event
// changes the state, in the place of the present behaviour. It is OTP's
// change_callback_module. Init of m is not called.
func (t *Turn[S]) Change(m Machine[S]) {
	if t.mayChange() {
		stack := t.process.behaviours
		stack[len(stack)-1] = m
		t.process.use(m)
	}
}

// Push is [Turn.Change] that remembers the present behaviour for [Turn.Pop].
func (t *Turn[S]) Push(m Machine[S]) {
	if t.mayChange() {
		t.process.behaviours = append(t.process.behaviours, m)
		t.process.use(m)
	}
}

// Pop goes back to the behaviour before the last [Turn.Push]. If there is none
// the machine ends with [ErrPop].
func (t *Turn[S]) Pop() {
	last := len(t.process.behaviours) - 1
	if last == 0 {
		t.fail(ErrPop)
	} else if t.mayChange() {
		t.process.behaviours[last] = nil
		t.process.behaviours = t.process.behaviours[:last]
		t.process.use(t.process.behaviours[last-1])
	}
}

func (t *Turn[S]) mayChange() bool {
	if t.entering {
		t.fail(fmt.Errorf("%w: change of behaviour", ErrEnter))
	}
	return !t.entering
}
