package statem

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Infinity is a timeout that never ends; to set it is to cancel the timer.
const Infinity time.Duration = math.MaxInt64

// PostponeLimit bounds how many events wait for another state: a machine that
// postpones more is stuck in its state. It is the kernel's limit for a stash.
const PostponeLimit = 1 << 16

// Errors that end a machine whose handler asked for what is not possible. They
// are mistakes in the program.
var (
	// ErrEnter ends a machine that changes the state, postpones or inserts an
	// event in Enter.
	ErrEnter = errors.New("statem: Enter cannot change the state, postpone or insert events")
	// ErrNoState ends a machine of [Functions] whose state has no function.
	ErrNoState = errors.New("statem: no function for the state")
	// ErrInsert ends a machine that inserts an event of an unknown Kind, a
	// Timeout without a name, or a Call that is nobody's.
	ErrInsert = errors.New("statem: event cannot be inserted")
	// ErrPostponeLimit ends a machine that postpones more events than
	// [PostponeLimit].
	ErrPostponeLimit = errors.New("statem: too many postponed events")
	// ErrPop ends a machine that takes its last behaviour away.
	ErrPop = errors.New("statem: no behaviour to go back to")
)

// timerKey names a timer: its kind and, of a named one, its name.
type timerKey struct {
	kind Kind
	name any
}

// setting is a request to set, cancel (after is Infinity) or, with update, to
// change the content of a timer.
type setting struct {
	key     timerKey
	after   time.Duration
	update  bool
	content any
}

// transition is what handlers have asked for: OTP's actions, and the next state.
// That of Enter adds to that of the handler before it.
type transition[S comparable] struct {
	next      S
	repeat    bool
	postpone  bool
	hibernate bool
	inserted  []Event
	settings  []setting

	entering bool  // Enter is running
	fault    error // what was asked for and is not possible
}

// begin empties t for the handling of one event.
func (t *transition[S]) begin(state S) {
	t.next = state
	t.repeat, t.postpone, t.hibernate, t.entering, t.fault = false, false, false, false, nil
	if len(t.inserted) > 0 {
		clear(t.inserted)
		t.inserted = t.inserted[:0]
	}
	if len(t.settings) > 0 {
		clear(t.settings)
		t.settings = t.settings[:0]
	}
}

// plain reports whether nothing was asked for but perhaps another state.
func (t *transition[S]) plain() bool {
	return !t.postpone && !t.hibernate && len(t.inserted) == 0 && len(t.settings) == 0
}

func (t *transition[S]) fail(err error) {
	if t.fault == nil {
		t.fault = err
	}
}

func (t *transition[S]) move(state S) {
	if t.entering && state != t.next {
		t.fail(fmt.Errorf("%w: next state %v", ErrEnter, state))
		return
	}
	t.next = state
}

func (t *transition[S]) putOff() {
	if t.entering {
		t.fail(fmt.Errorf("%w: postpone", ErrEnter))
		return
	}
	t.postpone = true
}

func (t *transition[S]) insert(e Event) {
	switch {
	case t.entering:
		t.fail(fmt.Errorf("%w: insert %v", ErrEnter, e))
	case e.Kind > Timeout, (e.Kind == Timeout) != (e.Name != nil), e.Kind == Call && !e.from.Waiting():
		t.fail(fmt.Errorf("%w: %v", ErrInsert, e))
	default:
		t.inserted = append(t.inserted, e)
	}
}

func (t *transition[S]) set(s setting) { t.settings = append(t.settings, s) }
