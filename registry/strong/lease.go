package strong

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// Owner is who holds a lease.
type Owner struct {
	Name  string
	Node  actor.NodeID
	Token Token
}

// HeldError says that a lease was not acquired since somebody has it.
type HeldError struct{ Owner Owner }

func (e *HeldError) Error() string {
	return fmt.Sprintf("%v: %q by %v with token %v", ErrHeld, e.Owner.Name, e.Owner.Node, e.Owner.Token)
}

// Is reports whether target is ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// TTL is for how long the holder of a lease may believe in it, counted from
// before it called Acquire, or Renew, on its own clock: what the lease lasts
// less what clocks may differ.
func (r *Registry) TTL() time.Duration {
	return time.Duration(float64(r.cfg.TTL) * (1 - r.cfg.MaxDrift) / (1 + r.cfg.MaxDrift))
}

// Acquire makes this node the owner of a name, until [Registry.TTL] has passed
// since before the call, if nobody is, and returns the token with which it owns
// it. It does not wait for a lease to end; see [Registry.Hold]. The error is a
// [*HeldError] if somebody has it, this node by an earlier call included,
// [ErrLimit], [ErrUnknown] if ctx ended too late, or ctx's cause.
//
// After ErrUnknown the node may own the name without knowing its token. It is
// free again when the lease has run out.
func (r *Registry) Acquire(ctx context.Context, name string) (Token, error) {
	if err := checkText("name", name, maxName); err != nil {
		return Token{}, err
	}
	res, err := r.client.change(ctx, command{op: opAcquire, name: name, value: r.self.String(), ttl: r.cfg.TTL})
	if err != nil {
		return Token{}, err
	}
	o, err := res.owner(name)
	return o.Token, err
}

// Renew lets a lease begin anew, so that it lasts for [Registry.TTL] since before
// this call. The error is [ErrLost] if token is not the owner's any more; then
// the caller is not the owner, and has not been for some time.
func (r *Registry) Renew(ctx context.Context, name string, token Token) error {
	return r.keep(ctx, opRenew, name, token)
}

// Release ends a lease. The error is [ErrLost] if token is not the owner's any
// more.
func (r *Registry) Release(ctx context.Context, name string, token Token) error {
	return r.keep(ctx, opRelease, name, token)
}

func (r *Registry) keep(ctx context.Context, o op, name string, token Token) error {
	if err := checkText("name", name, maxName); err != nil {
		return err
	}
	res, err := r.client.change(ctx, command{op: o, name: name, token: token})
	if err != nil {
		return err
	}
	_, err = res.owner(name)
	return err
}

// OwnerLinearizable returns who owns a name at some moment between the call and
// its return. That an owner has a lease does not say that it still believes in
// it. It waits for a majority of the voters. The error is [ErrAbsent] if nobody
// owns it.
func (r *Registry) OwnerLinearizable(ctx context.Context, name string) (Owner, error) {
	res, err := r.client.query(ctx, query{lease: true, name: name})
	if err != nil {
		return Owner{}, err
	}
	return res.owner(name)
}

// OwnerStale returns who owned a name at some moment in the past, according to
// this node's copy. It does not wait. The error is [ErrAbsent], or
// [ErrNoReplica] if there is no copy here.
func (r *Registry) OwnerStale(name string) (Owner, error) {
	res, err := r.stale(query{lease: true, name: name})
	if err != nil {
		return Owner{}, err
	}
	return res.owner(name)
}

// owner makes an owner, or an error, of what came of a lease.
func (res result) owner(name string) (Owner, error) {
	o := Owner{Name: name, Token: res.token}
	if res.value != "" {
		node, err := actor.ParseNodeID(res.value)
		if err != nil {
			return Owner{}, fmt.Errorf("strong: %q: %w", name, err)
		}
		o.Node = node
	}
	switch res.code {
	case codeOK:
		return o, nil
	case codeHeld:
		return Owner{}, &HeldError{Owner: o}
	case codeLost:
		return Owner{}, fmt.Errorf("%w: %q", ErrLost, name)
	case codeAbsent:
		return Owner{}, fmt.Errorf("%w: %q", ErrAbsent, name)
	}
	return Owner{}, fmt.Errorf("%w: code %d for %q", errMalformed, res.code, name)
}
