package supervisor

import (
	"context"

	"github.com/topos-go/topos/actor"
)

// ask calls a supervisor. Stopping a child may take as long as its Shutdown, so that
// the default deadline of calls would be wrong; as in OTP there is none.
func ask[T any](ctx context.Context, from actor.Caller, sup actor.Address, req request) (T, error) {
	answer, err := actor.Call[result[T]](actor.Patient(ctx), from, sup, req)
	if err != nil {
		return answer.value, err
	}
	return answer.value, answer.err
}

// StartChild adds a child to the supervisor sup, behind all others, and starts
// it. It returns when the child has been started, with the zero PID if its
// start function returned actor.ErrIgnore; the child is then kept without a
// process, unless it is Temporary.
//
// It fails with [ErrAlreadyStarted], together with the PID of the child that
// has this ID, with [ErrAlreadyPresent] if that one is not running, with a
// [*StartError] if the child did not start, with every mistake in spec, with
// [ErrSimpleOneForOne], and with the errors of [actor.Call].
//
// Like all functions that take a supervisor's address it may be called from any
// goroutine or process but the supervisor's own. In particular a child must not
// call its own supervisor in its Init: the supervisor waits for that Init. sup
// must be on the caller's node. Without a deadline in ctx the wait has none.
func StartChild(ctx context.Context, from actor.Caller, sup actor.Address, spec ChildSpec) (actor.PID, error) {
	return ask[actor.PID](ctx, from, sup, startChild{spec})
}

// StartInstance starts one more child of a SimpleOneForOne supervisor: its
// template's start function is called with args. The args are kept for
// restarts, except those of Temporary children. A start function that returns
// actor.ErrIgnore makes it return the zero PID; nothing is kept then. It fails
// with a [*StartError], [ErrNotSimpleOneForOne] or an error of [actor.Call].
func StartInstance(ctx context.Context, from actor.Caller, sup actor.Address, args ...any) (actor.PID, error) {
	return ask[actor.PID](ctx, from, sup, startInstance{args})
}

// TerminateChild stops a child as its Shutdown says, and returns when its
// process is gone. The child stays without a process until [RestartChild] or
// [DeleteChild], or a restart of it together with a sibling; a Temporary child
// is forgotten. A child that has no process is no error, and one that waits to
// be restarted does so no longer. It fails with [ErrNotFound],
// [ErrSimpleOneForOne] or an error of [actor.Call].
func TerminateChild(ctx context.Context, from actor.Caller, sup actor.Address, id string) error {
	_, err := ask[actor.PID](ctx, from, sup, terminateChild{id})
	return err
}

// TerminateInstance stops a child of a SimpleOneForOne supervisor, and forgets
// it. pid may be its last process if it waits to be restarted. A process that
// is gone is no error. It fails with [ErrNotFound] for a process that is alive
// and no child of sup, [ErrNotSimpleOneForOne] or an error of [actor.Call].
func TerminateInstance(ctx context.Context, from actor.Caller, sup actor.Address, pid actor.PID) error {
	_, err := ask[actor.PID](ctx, from, sup, terminateInstance{pid: pid})
	return err
}

// RestartChild starts a child that has no process. It returns the zero PID if
// the start function returned actor.ErrIgnore. It fails with [ErrRunning],
// [ErrRestarting], [ErrNotFound], [ErrSimpleOneForOne], a [*StartError] or an
// error of [actor.Call].
func RestartChild(ctx context.Context, from actor.Caller, sup actor.Address, id string) (actor.PID, error) {
	return ask[actor.PID](ctx, from, sup, restartChild{id})
}

// DeleteChild forgets a child that has no process. It fails with [ErrRunning],
// [ErrRestarting], [ErrNotFound], [ErrSimpleOneForOne] or an error of
// [actor.Call].
func DeleteChild(ctx context.Context, from actor.Caller, sup actor.Address, id string) error {
	_, err := ask[actor.PID](ctx, from, sup, deleteChild{id})
	return err
}

// WhichChildren returns what is known of every child, in the order of their
// start. (OTP's order is the reverse.) A supervisor answers between two
// operations: it never shows a restart half done.
func WhichChildren(ctx context.Context, from actor.Caller, sup actor.Address) ([]ChildInfo, error) {
	return ask[[]ChildInfo](ctx, from, sup, whichChildren{})
}

// WhichChild is [WhichChildren] for one child. It fails with [ErrNotFound],
// [ErrSimpleOneForOne] or an error of [actor.Call].
func WhichChild(ctx context.Context, from actor.Caller, sup actor.Address, id string) (ChildInfo, error) {
	return ask[ChildInfo](ctx, from, sup, whichChild{id})
}

// WhichInstance is [WhichChildren] for one child of a SimpleOneForOne
// supervisor. It fails with [ErrNotFound], [ErrNotSimpleOneForOne] or an error
// of [actor.Call].
func WhichInstance(ctx context.Context, from actor.Caller, sup actor.Address, pid actor.PID) (ChildInfo, error) {
	return ask[ChildInfo](ctx, from, sup, whichInstance{pid})
}

// CountChildren counts the children.
func CountChildren(ctx context.Context, from actor.Caller, sup actor.Address) (Counts, error) {
	return ask[Counts](ctx, from, sup, countChildren{})
}

// ChildSpecOf returns the specification of a child, or of the template of a
// SimpleOneForOne supervisor, with its default Shutdown filled in. The Start of
// a Temporary child that has been started is nil: it is not kept. It fails with
// [ErrNotFound] or an error of [actor.Call].
func ChildSpecOf(ctx context.Context, from actor.Caller, sup actor.Address, id string) (ChildSpec, error) {
	return ask[ChildSpec](ctx, from, sup, childSpecOf{id})
}

// UpdateSpec replaces what the supervisor was told to be, while it runs, as
// OTP's code change does. Strategy, Intensity, Period and AutoShutdown count
// from now on, and so do the specifications of children with the same IDs,
// which keep their processes. New children are added but not started; see
// [RestartChild]. Children that are not in spec stay, behind those that are.
// With SimpleOneForOne the template is replaced for the restarts of all
// instances. The Seed does not change.
//
// It fails with every mistake in spec, wrapping [ErrSpec], or if it would
// change the Strategy to or from SimpleOneForOne; nothing is changed then.
func UpdateSpec(ctx context.Context, from actor.Caller, sup actor.Address, spec Spec) error {
	_, err := ask[actor.PID](ctx, from, sup, updateSpec{spec})
	return err
}
