package actor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// SpawnOption says how a process is spawned: a [Name] or [ClusterName] to
// register it under, a [Mailbox] to bound its mail, a [Label] to show it by, a
// [StashLimit]. The set is closed.
type SpawnOption interface{ spawn(*spawning) }

// Label is a [SpawnOption] that names a process for people, in logs and in
// [ProcessInfo]. It need not be unique and nothing can be sent to it.
type Label string

// StashLimit is a [SpawnOption]: how many messages the process may stash.
type StashLimit int

// spawning is what the options of one spawn add up to.
type spawning struct {
	names    []Name
	clusters []ClusterName
	mailbox  Mailbox
	label    string
	stash    int
	errs     []error
}

func (n Name) spawn(s *spawning)        { s.names = append(s.names, n) }
func (n ClusterName) spawn(s *spawning) { s.clusters = append(s.clusters, n) }
func (l Label) spawn(s *spawning)       { s.label = string(l) }

func (m Mailbox) spawn(s *spawning) {
	if err := m.valid(); err != nil {
		s.errs = append(s.errs, err)
	}
	s.mailbox = m
}

func (l StashLimit) spawn(s *spawning) {
	if l <= 0 {
		s.errs = append(s.errs, fmt.Errorf("actor: stash limit %d is not positive", int(l)))
	}
	s.stash = int(l)
}

// StartFunc starts a process as a linked child of parent and returns its PID
// once the child is initialised: what a supervisor needs to know of a child. It
// runs on the parent's goroutine. args are those of a dynamic child; most
// StartFuncs ignore them. An error that wraps [ErrIgnore] means that there is
// no child and need be none.
type StartFunc func(parent *Self, args ...any) (PID, error)

// Start returns a [StartFunc] that spawns what newActor makes.
func Start(newActor func() Actor, opts ...SpawnOption) StartFunc {
	return func(parent *Self, _ ...any) (PID, error) {
		return parent.SpawnLink(newActor(), opts...)
	}
}

// StartWith is [Start] for dynamic children, which are made from arguments.
func StartWith(newActor func(args ...any) Actor, opts ...SpawnOption) StartFunc {
	return func(parent *Self, args ...any) (PID, error) {
		return parent.SpawnLink(newActor(args...), opts...)
	}
}

// errNilActor is returned by every spawn of nil.
var errNilActor = errors.New("actor: nil actor")

// spawn makes a process, initialises it on this goroutine and lets it run. With
// watch, parent gets a monitor that stands before the process runs.
func (s *System) spawn(ctx context.Context, parent *process, a Actor, link bool, watch *MonitorRef, opts []SpawnOption) (*process, error) {
	p, set, err := s.conceive(ctx, parent, PID{}, a, opts)
	if err != nil {
		return nil, err
	}
	if link {
		p.link(parent.pid())
		if !parent.link(p.pid()) { // the parent is a zombie
			p.abort(ErrKilled)
			return nil, ErrKilled
		}
	}
	if err = p.grow(ctx, set); err != nil {
		p.abort(err)
		return nil, err
	}
	if watch != nil {
		*watch = parent.monitor(p.pid())
	}
	if err = p.open(); err != nil {
		if watch != nil {
			parent.demonitor(*watch, true)
		}
		return nil, err
	}
	return p, nil
}

// conceive makes a process that has a PID and has done nothing yet. set is nil
// without options. The parent is on this node, or abroad, or nobody.
func (s *System) conceive(ctx context.Context, parent *process, abroad PID, a Actor, opts []SpawnOption) (p *process, set *spawning, err error) {
	if a == nil {
		return nil, nil, errNilActor
	}
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	p = &process{sys: s, actor: a, born: time.Now().UnixNano()}
	if len(opts) > 0 {
		set = new(spawning)
		for _, o := range opts {
			o.spawn(set)
		}
		if err := p.configure(set); err != nil {
			return nil, nil, err
		}
	}
	if parent != nil {
		if parent.fenced() {
			return nil, nil, ErrKilled
		}
		p.parent = parent.id
	}
	if !abroad.IsZero() {
		p.ensureAnnex().parentAbroad = abroad
	}
	if err := s.admit(p); err != nil {
		return nil, nil, err
	}
	p.shard.Store(uint32(p.id))
	return p, set, nil
}

// grow gives a conceived process its names and runs its Init.
func (p *process) grow(ctx context.Context, set *spawning) error {
	if set != nil {
		if err := p.registerAll(set); err != nil {
			return err
		}
	}
	if init, ok := p.actor.(Initializer); ok {
		return p.init(ctx, init)
	}
	return nil
}

// configure prepares a process that nobody knows yet.
func (p *process) configure(set *spawning) error {
	if err := errors.Join(set.errs...); err != nil {
		return err
	}
	if set.label != "" {
		p.ensureAnnex().label = set.label
	}
	if set.stash > 0 {
		p.ensureAnnex().stash.limit = set.stash
	}
	if set.mailbox.Capacity > 0 {
		if set.mailbox.Wait == 0 {
			set.mailbox.Wait = DefaultOverflowWait
		}
		p.ensureAnnex().bound = &bound{Mailbox: set.mailbox}
		p.mailbox.bounded = true
	}
	return nil
}

func (p *process) registerAll(set *spawning) error {
	for _, n := range set.names {
		if err := p.register(n); err != nil {
			return fmt.Errorf("register %q: %w", string(n), err)
		}
	}
	for _, n := range set.clusters {
		if err := p.registerCluster(n); err != nil {
			return fmt.Errorf("register cluster name %q: %w", string(n), err)
		}
	}
	return nil
}

// init runs the actor's Init. The end of ctx acts on it as an exit signal.
func (p *process) init(ctx context.Context, a Initializer) (err error) {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { p.spawnerGone(context.Cause(ctx)) })
		defer stop()
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = NewPanicError(v)
			return
		}
		p.abort(ErrGoexit) // spawn will not go on
	}()
	err = a.Init(p.self())
	returned = true
	return err
}

// spawnerGone ends p if it is still in Init.
func (p *process) spawnerGone(cause error) {
	p.mu.Lock()
	if p.phase != phaseStarting {
		p.mu.Unlock()
		return
	}
	p.interrupt(fenceExit, cause) // unlocks
}

// leaveParent takes back the link with the parent of a process that fails to
// start: the parent learns of it from the spawn's error, not by an exit signal.
func (p *process) leaveParent() {
	if parent := p.sys.procs.find(p.parent); parent != nil {
		p.unlink(parent.pid())
		parent.unlink(p.pid())
	}
}

// abort takes back a spawn that failed.
func (p *process) abort(reason error) {
	p.mu.Lock()
	if p.phase == phaseDead { // a zombie, told to the world already
		p.mu.Unlock()
		p.returned()
		return
	}
	p.phase = phaseDead
	p.mu.Unlock()
	p.ensureAnnex().aborted = true
	p.leaveParent()
	p.finalize(reason, true)
}

// open ends the starting phase. From now on p runs when it has mail. The error
// is the reason of an exit signal that came during Init.
func (p *process) open() error {
	p.mu.Lock()
	if p.phase == phaseDead {
		p.mu.Unlock()
		p.returned()
		return ErrZombie
	}
	if p.fence.Load() != 0 {
		p.phase = phaseReady
		p.mu.Unlock()
		reason := p.interruption()
		p.leaveParent()
		p.exit(reason)
		return reason
	}
	p.phase = phaseIdle
	if p.mailbox.count > 0 || p.mailbox.bounded && p.annex.Load().bound.n > 0 {
		p.wake(nil) // unlocks
		return nil
	}
	p.mu.Unlock()
	return nil
}
