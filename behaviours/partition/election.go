package partition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/strong"
)

// How often an Election asks who leads and for how long it waits for an answer,
// as parts of the lease. What a node believes is so never older than 1/3 + 1/8 +
// 1/3 of a lease; and one that is cut off knows that within 1/8 + 1/3. A lease is
// renewed after 1/3, so a node that is cut off together with the leader stops
// before another one can have been elected.
const (
	askEvery = 8
	askFor   = 3
)

// Election is a [Leader] by a lease: the nodes campaign for a name in the
// registry with strong consistency, and whoever holds it leads. It is made with
// [StrongLeader], on every node that may lead, and must be closed, after the
// guards that use it and before the registry. It is safe for concurrent use.
type Election struct {
	r    *strong.Registry
	name string

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
	nudge  chan struct{} // capacity 1: ask now
	once   sync.Once
	closed chan struct{}

	telling sync.Mutex // held while watchers are told, so that they are in order

	mu       sync.Mutex
	hold     *strong.Hold // the last
	leader   actor.NodeID
	watchers map[uint64]func(actor.NodeID)
	watched  uint64 // how many there have been
	err      error
}

// StrongLeader lets this node campaign for name in r, which has been started,
// until the Election is closed. A leader that is lost is followed by another one
// when its lease has run out, after strong.Config.TTL; one that is closed, at
// once. A node that only wants to know who leads must not have an Election.
//
// It does not wait. The error says that there is no registry or no name.
func StrongLeader(r *strong.Registry, name string) (*Election, error) {
	var errs []error
	if r == nil {
		errs = append(errs, errors.New("partition: an election without a registry"))
	}
	if name == "" {
		errs = append(errs, errors.New("partition: an election without a name"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	e := &Election{
		r: r, name: name,
		nudge:    make(chan struct{}, 1),
		closed:   make(chan struct{}),
		watchers: make(map[uint64]func(actor.NodeID)),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.work.Go(e.campaign)
	e.work.Go(e.follow)
	return e, nil
}

// IsLeader reports whether this node holds the lease, by its own clock.
func (e *Election) IsLeader() bool {
	hold := e.held()
	return hold != nil && hold.Valid()
}

// Token returns the fencing token of this node's lease; ok is false if it has
// none.
func (e *Election) Token() (epoch, index uint64, ok bool) {
	hold := e.held()
	if hold == nil || !hold.Valid() {
		return 0, 0, false
	}
	t := hold.Token()
	return t.Epoch, t.Index, true
}

// Watch calls f with who leads as far as this node knows, and whenever that
// changes, in order, until cancel is called, which f may do. A node that gets no
// answer from a majority of the voters knows nobody, and after Close none does. f
// must not wait, nor call Watch.
func (e *Election) Watch(f func(leader actor.NodeID)) (cancel func()) {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.mu.Lock()
	e.watched++
	id, leader := e.watched, e.leader
	e.watchers[id] = f
	e.mu.Unlock()
	f(leader)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, id)
	}
}

// Err says why this node does not campaign any more although the Election is not
// closed: strong.ErrClosed, strong.ErrObsolete, or strong.ErrLimit for the name.
func (e *Election) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Close ends the campaign, and gives the lease up if this node has it. If that
// cannot be done before ctx ends, the error says so, and the lease runs out.
// Closing again waits for the same end.
func (e *Election) Close(ctx context.Context) (err error) {
	e.once.Do(func() {
		defer close(e.closed)
		e.cancel()
		e.work.Wait() // they wait for nothing but what the cancelled context ends
		err = e.giveUp(ctx)
		e.lead(actor.NodeID{})
	})
	<-e.closed
	return err
}

// giveUp ends the lease, if this node has it.
func (e *Election) giveUp(ctx context.Context) error {
	hold := e.held()
	if hold == nil {
		return nil
	}
	select {
	case <-hold.Done():
		return nil // it was lost, or the registry is closed
	default:
	}
	if err := hold.Release(ctx); err != nil && !errors.Is(err, strong.ErrClosed) {
		return fmt.Errorf("partition: giving up the lease of %q: %w", e.name, err)
	}
	return nil
}

func (e *Election) held() *strong.Hold {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hold
}

// campaign holds the lease whenever that is possible.
func (e *Election) campaign() {
	for e.ctx.Err() == nil {
		hold, err := e.r.Hold(e.ctx, e.name)
		switch {
		case errors.Is(err, strong.ErrClosed), errors.Is(err, strong.ErrObsolete), errors.Is(err, strong.ErrLimit):
			e.mu.Lock()
			e.err = err
			e.mu.Unlock()
			return
		case err != nil:
			e.rest(nil)
			continue
		}
		e.mu.Lock()
		e.hold = hold
		e.mu.Unlock()
		e.wake()
		select {
		case <-hold.Done():
			e.wake()
		case <-e.ctx.Done(): // Close gives it up
		}
	}
}

// wake lets follow look at once.
func (e *Election) wake() {
	select {
	case e.nudge <- struct{}{}:
	default:
	}
}

// rest waits before the next question, or until there is something to ask.
func (e *Election) rest(nudge <-chan struct{}) {
	timer := time.NewTimer(e.r.TTL() / askEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-nudge:
	case <-e.ctx.Done():
	}
}

// follow asks who leads, all the time. This node's own successes come from there,
// too, so that no earlier answer comes after them.
func (e *Election) follow() {
	for e.ctx.Err() == nil {
		e.lead(e.ask())
		e.rest(e.nudge)
	}
}

// ask returns who leads, the zero NodeID if nobody does or this node cannot
// know.
func (e *Election) ask() actor.NodeID {
	ctx, cancel := context.WithTimeout(e.ctx, e.r.TTL()/askFor)
	defer cancel()
	owner, err := e.r.OwnerLinearizable(ctx, e.name)
	if err != nil {
		return actor.NodeID{}
	}
	return owner.Node
}

// lead notes who leads, and tells watchers if that is new.
func (e *Election) lead(leader actor.NodeID) {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.mu.Lock()
	changed := e.leader != leader
	e.leader = leader
	ids := slices.Sorted(maps.Keys(e.watchers))
	e.mu.Unlock()
	if !changed {
		return
	}
	for _, id := range ids {
		e.mu.Lock()
		f := e.watchers[id]
		e.mu.Unlock()
		if f != nil {
			f(leader)
		}
	}
}
