package statem

import (
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Machine is the behaviour of a state machine whose states are of type S: one
// function for all events in all states, OTP's handle_event_function. One
// function for each state is [Functions]. The data of the machine are its
// fields. The callbacks run one at a time on the process's goroutine.
//
// A Machine may implement [Enterer] and [Terminator] as well.
type Machine[S comparable] interface {
	// Init prepares the machine on the spawner's goroutine and returns its
	// first state. Timers may be set and events inserted. See
	// actor.Initializer for what an error does.
	Init(t *Turn[S]) (S, error)
	// Handle handles e in the state t.State(), and says through t what follows.
	// An error ends the process with that reason; return actor.ErrNormal to
	// stop.
	Handle(t *Turn[S], e Event) error
}

// Enterer is a [Machine] that wants to know when a state is entered: at the
// start, after each change, and when it is repeated. It is OTP's state enter
// call. old is the state before, at the start the first one.
//
// Enter may set timers, reply and repeat the state, which enters it again. It
// may not change the state, postpone or insert events.
type Enterer[S comparable] interface {
	Enter(t *Turn[S], old S) error
}

// Terminator is a [Machine] that cleans up. Through t it can look at the state
// and reply; what else it asks for is not done. See actor.Terminator for when it
// runs.
type Terminator[S comparable] interface {
	Terminate(t *Turn[S], reason error)
}

// New returns the actor that runs m. Each process needs a Machine of its own.
func New[S comparable](m Machine[S]) actor.Actor {
	p := &process[S]{behaviours: []Machine[S]{m}}
	p.turn.process = p
	p.use(m)
	return p
}

// Start returns the start function of a supervised state machine. newMachine
// makes a fresh Machine for every start.
func Start[S comparable](newMachine func() Machine[S], opts ...actor.SpawnOption) actor.StartFunc {
	return actor.Start(func() actor.Actor { return New(newMachine()) }, opts...)
}

// State is what a machine of [Functions] does in one state.
type State[S comparable] struct {
	// Handle handles the events; see [Machine].
	Handle func(t *Turn[S], e Event) error
	// Enter, if not nil, is called when the state is entered; see [Enterer].
	Enter func(t *Turn[S], old S) error
}

// Functions returns a machine with a function for each state, OTP's
// state_functions, which begins with what init returns. A state that is not in
// states, or has no Handle, ends the machine with [ErrNoState] when it is
// entered. states must not be changed afterwards.
func Functions[S comparable](init func(t *Turn[S]) (S, error), states map[S]State[S]) Machine[S] {
	return &functions[S]{init: init, states: states}
}

type functions[S comparable] struct {
	init   func(t *Turn[S]) (S, error)
	states map[S]State[S]
	at     S
	now    State[S] // of at, so that an event need not look it up
}

func (f *functions[S]) Init(t *Turn[S]) (S, error) {
	first, err := f.init(t)
	if err == nil {
		err = f.move(first)
	}
	return first, err
}

func (f *functions[S]) move(to S) error {
	f.at, f.now = to, f.states[to]
	if f.now.Handle == nil {
		return fmt.Errorf("%w %v", ErrNoState, to)
	}
	return nil
}

func (f *functions[S]) Enter(t *Turn[S], old S) error {
	if err := f.move(t.state); err != nil || f.now.Enter == nil {
		return err
	}
	return f.now.Enter(t, old)
}

func (f *functions[S]) Handle(t *Turn[S], e Event) error {
	if t.state != f.at || f.now.Handle == nil {
		if err := f.move(t.state); err != nil { // these functions were not there when it was entered
			return err
		}
	}
	return f.now.Handle(t, e)
}
