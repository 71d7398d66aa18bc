package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// DefaultStopDeadline is the deadline of a [Run] that names none: less than the
// half minute after which Kubernetes kills a pod, by enough to report.
const DefaultStopDeadline = 25 * time.Second

// Run runs a whole program: it starts the supervision tree that spec describes
// and returns when the tree is down. When ctx ends, the tree is stopped in
// order; what is left when the deadline has passed since then is killed. Zero
// means [DefaultStopDeadline].
//
//	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
//	defer stop()
//	err := supervisor.Run(ctx, sys, spec, 0)
//
// Run returns nil if the tree ended in order, because ctx ended, be it during
// the start, or by itself, and otherwise the mistakes in spec, the [*StartError], the reason why the
// root supervisor ended ([ErrIntensity] among them), a [*StopError] that says
// who was killed, or actor.ErrClosed if the system was closed meanwhile.
//
// The system is not closed, so that several trees can run in it. Close it after
// Run; it names those of the killed who are zombies.
func Run(ctx context.Context, sys *actor.System, spec Spec, deadline time.Duration) error {
	if deadline == 0 {
		deadline = DefaultStopDeadline
	}
	root, err := New(spec)
	if deadline < 0 {
		err = errors.Join(specError("Run's deadline %v is negative", deadline), err)
	}
	if err != nil {
		return err
	}
	r := &runner{sys: sys, keeper: &keeper{root: root, born: make(chan born, 1)}}
	return r.run(ctx, deadline)
}

// runner is one Run.
type runner struct {
	sys    *actor.System
	keeper *keeper
	started,
	stopping bool
}

func (r *runner) run(ctx context.Context, deadline time.Duration) error {
	// The start may be stuck in somebody's Init when ctx ends; so it has a
	// goroutine of its own. The channel has room for its end if it is given up.
	spawned := make(chan error, 1)
	go func() {
		_, err := r.sys.Spawn(ctx, r.keeper)
		spawned <- err
	}()
	var kept born
	var over <-chan struct{}
	var late <-chan time.Time
	stop := ctx.Done()
	for {
		select {
		case err := <-spawned:
			if err != nil {
				return startOutcome(ctx, err)
			}
			kept = <-r.keeper.born
			r.started, over = true, kept.ctx.Done()
			r.tellStop(kept)
		case <-stop:
			stop, r.stopping = nil, true
			timer := time.NewTimer(deadline)
			defer timer.Stop()
			late = timer.C
			r.tellStop(kept)
		case <-over:
			return r.outcome(kept)
		case <-late:
			if !r.started {
				select {
				case kept = <-r.keeper.born:
				case err := <-spawned: // at the last moment
					if err != nil {
						return startOutcome(ctx, err)
					}
					kept = <-r.keeper.born
				}
			}
			return &StopError{Deadline: deadline, Killed: killTree(r.sys, kept.pid)}
		}
	}
}

// tellStop lets the keeper stop the tree, if there is one and it is to stop.
func (r *runner) tellStop(kept born) {
	if r.started && r.stopping {
		_ = r.sys.Send(kept.pid, stopTree{}) // if it is gone, over says so
	}
}

// startOutcome is what Run returns of a tree that did not start. If only
// because ctx ended, that is an end in order like any other.
func startOutcome(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return nil
	}
	return err
}

// outcome is what Run returns of a tree that has ended.
func (r *runner) outcome(kept born) error {
	awaitGone(r.sys, kept.pid) // so that its Terminate is over
	reason := r.keeper.reason
	switch {
	case reason == nil: // the keeper was told to end, or killed
		return errors.Join(actor.ErrClosed, context.Cause(kept.ctx))
	case errors.Is(reason, ErrIntensity), actor.Abnormal(reason):
		return reason
	}
	return nil
}

// keeper is the parent of the root supervisor. It is there so that the tree's
// end has somebody to be told to, with its reason.
type keeper struct {
	root   actor.Actor
	born   chan born // capacity 1
	tree   actor.PID
	reason error // why the tree ended; to be read when the keeper is gone
}

// born is what the keeper says of itself.
type born struct {
	pid actor.PID
	ctx context.Context
}

// stopTree is the message that makes a keeper stop its tree.
type stopTree struct{}

func (k *keeper) Init(self *actor.Self) (err error) {
	k.born <- born{self.PID(), self.Context()}
	self.TrapExit(true)
	k.tree, err = self.SpawnLink(k.root)
	return err
}

func (k *keeper) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case stopTree:
		_ = self.Exit(k.tree, actor.ErrShutdown) // if it is gone, its Exit is here
	case actor.Exit:
		if m.From == k.tree {
			k.reason = m.Reason
			return actor.ErrNormal
		}
	}
	return nil
}

// Terminate takes the tree along if the keeper ends first: because the start
// was interrupted in its last moment, or because the system is closed.
func (k *keeper) Terminate(self *actor.Self, _ error) {
	if k.reason == nil {
		ref := self.Monitor(k.tree)
		_ = self.Exit(k.tree, actor.ErrShutdown)
		_, _ = self.AwaitDown(context.Background(), ref) // or until it is killed
	}
}

// killTree kills top and everything below it, and returns what that was, except
// top, when it is gone: that takes as long as the kill grace at most.
func killTree(sys *actor.System, top actor.PID) []actor.ProcessInfo {
	var all []actor.ProcessInfo
	for _, t := range sys.Trees() {
		if t.PID == top { // which was spawned from outside, and so is a root
			all = flatten(nil, t)
		}
	}
	for _, p := range all {
		_ = sys.Kill(p.PID) // parents first, so that nobody is restarted
	}
	for _, p := range all {
		awaitGone(sys, p.PID)
	}
	if len(all) > 0 {
		all = all[1:]
	}
	return all
}

// awaitGone waits for the end of a process that is about to end.
func awaitGone(sys *actor.System, pid actor.PID) {
	const look = 5 * time.Millisecond
	for wait := time.NewTimer(1); sys.Alive(pid); wait.Reset(look) {
		<-wait.C
	}
}

func flatten(list []actor.ProcessInfo, t actor.Tree) []actor.ProcessInfo {
	list = append(list, t.ProcessInfo)
	for _, c := range t.Children {
		list = flatten(list, c)
	}
	return list
}
