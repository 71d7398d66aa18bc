package strong

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// Entry is a registered name. Its Token is the registration's: it is higher than
// those of all earlier holders of the name, and tells two registrations of the
// same process apart.
type Entry struct {
	Name   string
	Holder actor.PID
	Token  Token
}

// Condition is what must be so for a name to be registered or unregistered. The
// zero Condition is [IfFree].
type Condition struct{ c condition }

// IfFree is met while nobody holds the name.
func IfFree() Condition { return Condition{} }

// IfHeldBy is met while this process holds the name.
func IfHeldBy(pid actor.PID) Condition {
	return Condition{condition{kind: condValue, value: pid.String()}}
}

// IfToken is met while the name is held by the registration with this token.
func IfToken(token Token) Condition {
	return Condition{condition{kind: condToken, token: token}}
}

// ConflictError says that a name was not as a [Condition] wanted it, and what it
// was instead.
type ConflictError struct {
	// Entry is who holds the name. Its Holder is zero if nobody does.
	Entry Entry
}

func (e *ConflictError) Error() string {
	if e.Entry.Holder.IsZero() {
		return fmt.Sprintf("%v: nobody holds %q", ErrConflict, e.Entry.Name)
	}
	return fmt.Sprintf("%v: %q is held by %v with token %v", ErrConflict, e.Entry.Name, e.Entry.Holder, e.Entry.Token)
}

// Is reports whether target is ErrConflict, or actor.ErrNameTaken if somebody
// holds the name.
func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict || target == actor.ErrNameTaken && !e.Entry.Holder.IsZero()
}

// Register gives a name to a process if cond is met, and returns the entry. When
// it returns, every linearizable lookup that begins later sees it. It waits for
// a majority of the voters. The error is a [*ConflictError] if the condition is
// not met, [ErrLimit], [ErrUnknown] if ctx ended too late, or ctx's cause.
//
// A name stays registered when its process or node ends: whoever takes over
// says whose successor it is, by [IfHeldBy] or [IfToken].
func (r *Registry) Register(ctx context.Context, name string, pid actor.PID, cond Condition) (Entry, error) {
	if err := checkText("name", name, maxName); err != nil {
		return Entry{}, err
	}
	if pid.IsZero() {
		return Entry{}, fmt.Errorf("%w: the zero PID", ErrLimit)
	}
	holder := pid.String()
	if err := checkText("holder", holder, maxValue); err != nil {
		return Entry{}, err
	}
	res, err := r.client.change(ctx, command{op: opRegister, name: name, value: holder, cond: cond.c})
	if err != nil {
		return Entry{}, err
	}
	if res.code == codeOK && res.value == holder {
		return Entry{Name: name, Holder: pid, Token: res.token}, nil
	}
	return res.entry(name)
}

// Unregister takes a name from whoever holds it, if cond is met. Errors are as
// with Register.
func (r *Registry) Unregister(ctx context.Context, name string, cond Condition) error {
	if err := checkText("name", name, maxName); err != nil {
		return err
	}
	res, err := r.client.change(ctx, command{op: opUnregister, name: name, cond: cond.c})
	if err != nil {
		return err
	}
	_, err = res.entry(name)
	return err
}

// LookupLinearizable returns who holds a name at some moment between the call
// and its return: no older registration than any that had been acknowledged, on
// whatever node, before the call. It waits for a majority of the voters. The
// error is [ErrAbsent] if nobody holds it.
func (r *Registry) LookupLinearizable(ctx context.Context, name string) (Entry, error) {
	res, err := r.client.query(ctx, query{name: name})
	if err != nil {
		return Entry{}, err
	}
	return res.entry(name)
}

// LookupStale returns who held a name at some moment in the past, according to
// this node's copy. It does not wait. The error is [ErrAbsent], or
// [ErrNoReplica] if there is no copy here.
func (r *Registry) LookupStale(name string) (Entry, error) {
	res, err := r.stale(query{name: name})
	if err != nil {
		return Entry{}, err
	}
	return res.entry(name)
}

// stale reads this node's copy.
func (r *Registry) stale(q query) (res result, err error) {
	if err := r.running(); err != nil {
		return result{}, err
	}
	if r.replica == nil {
		return result{}, ErrNoReplica
	}
	r.replica.fsm.view(func(m *machine) {
		if res = q.read(m); m.epoch == 0 {
			err = ErrNoReplica // there is nothing in it yet
		}
	})
	return res, err
}

// entry makes an entry, or an error, of what came of a name.
func (res result) entry(name string) (Entry, error) {
	e := Entry{Name: name, Token: res.token}
	if res.value != "" {
		pid, err := actor.ParsePID(res.value)
		if err != nil {
			return Entry{}, fmt.Errorf("strong: %q: %w", name, err)
		}
		e.Holder = pid
	}
	switch res.code {
	case codeOK:
		return e, nil
	case codeConflict:
		return Entry{}, &ConflictError{Entry: e}
	case codeAbsent:
		return Entry{}, fmt.Errorf("%w: %q", ErrAbsent, name)
	}
	return Entry{}, fmt.Errorf("%w: code %d for %q", errMalformed, res.code, name)
}
