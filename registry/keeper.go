package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// keeper is the process that keeps one placed child running on this node: it
// has a supervisor of its own, so that children do not take each other along,
// and a lease if the child needs one. It waits for nothing: what takes time is
// done by a process that it spawns.
//
//	begin ─▶ acquire ─▶ launch ─▶ born, born again … ─▶ release ─▶ give ─▶ stop ─▶ end
//	           └ only if Strong      └ lapse: renew the lease, or stop
type keeper struct {
	cfg       *PlacementConfig
	placement actor.PID
	child     Child
	tenure    Tenure
	states    []handed // to merge once it runs

	gate     *gate
	sup      actor.PID
	supRef   actor.MonitorRef
	instance actor.PID
	lived    bool // there was an instance
	waited   bool // ChildWaits was told

	clock    leaseClock
	leased   bool
	lapsed   bool // the lease is over
	renewing bool
	busy     actor.PID // the process that acquires

	stopping bool
	given    bool // the instance has given its state
	state    []byte
	failure  error
}

// Messages of the keeper, besides the gate's.
type (
	proceed  struct{} // to acquire, or to launch
	acquired struct {
		token Token
		sent  time.Time
		err   error
	}
	renewed struct {
		sent time.Time
		err  error
	}
	lapse    struct{} // look at the lease's clock
	launched struct{ err error }
	again    struct{} // try a name that was taken
	release  struct{ give bool }
	gave     struct {
		state []byte
		err   error
	}
	merged struct {
		from actor.NodeID
		err  error
	}
	released struct{}
)

// kept is what a keeper tells the placement.
type kept struct {
	id       string
	keeper   actor.PID
	kind     PlacementEventKind
	instance actor.PID
	node     actor.NodeID
	states   [][]byte
	err      error
}

// Init implements actor.Initializer.
func (k *keeper) Init(self *actor.Self) error {
	self.TrapExit(true)
	k.gate = &gate{sys: self.System(), keeper: self.PID(), start: k.child.Spec.Start}
	k.gate.tenure.Store(&k.tenure)
	return self.Send(self.PID(), proceed{})
}

// Receive implements actor.Actor.
func (k *keeper) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case proceed:
		if k.child.Strong && !k.leased {
			k.acquire(self)
			return nil
		}
		return k.launch(self)
	case acquired:
		return k.take(self, m)
	case renewed:
		k.renewing = false
		if m.err == nil && !k.lapsed {
			k.clock.renewed(m.sent)
			k.extend()
		}
	case lapse:
		k.look(self)
	case launched:
		if m.err != nil && !k.stopping {
			k.failure = m.err
			return k.stop(self)
		}
	case born:
		k.instance, k.lived = m.pid, true
		k.tell(self, kept{kind: ChildStarted, instance: m.pid})
		k.mergeAll(self)
	case unwanted:
		k.unwanted(self, m)
	case again:
		if !k.stopping && k.instance.IsZero() {
			k.restart(self)
		}
	default:
		return k.conclude(self, msg)
	}
	return nil
}

// conclude handles what has to do with the end.
func (k *keeper) conclude(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case handed:
		k.states = append(k.states, m)
		if !k.instance.IsZero() && !k.stopping {
			k.mergeAll(self)
		}
	case merged:
		kind := StateMerged
		if m.err != nil {
			kind = StateLost
		}
		k.tell(self, kept{kind: kind, instance: k.instance, node: m.from, err: m.err})
	case release:
		return k.release(self, m.give)
	case gave:
		k.state, k.given = m.state, true
		if m.err != nil {
			k.tell(self, kept{kind: StateLost, instance: k.instance, err: m.err})
		}
		return k.stop(self)
	case actor.Down:
		if m.Ref == k.supRef {
			return k.gone(self, m.Reason)
		}
	case released:
		return k.end(self)
	}
	return nil
}

// tell tells the placement.
func (k *keeper) tell(self *actor.Self, what kept) {
	what.id, what.keeper = k.child.Spec.ID, self.PID()
	_ = self.Send(k.placement, what) // it can only fail when that has ended
}

// do lets f run in a process of its own, and sends what it returns to this one.
// f must heed ctx, which ends with this process.
func (k *keeper) do(self *actor.Self, timeout time.Duration, f func(ctx context.Context) any) actor.PID {
	sys, me := self.System(), self.PID()
	work := func(ctx context.Context) error {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		_ = sys.Send(me, f(limited))
		return nil
	}
	pid, err := supervisor.Service(work, actor.Label("placement's work"))(self)
	if err != nil {
		self.Logger().Warn("placement cannot spawn", "error", err) // the system is closing
	}
	return pid
}

// guarded calls f and makes a panic an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("registry: panic: %v", p)
		}
	}()
	return f()
}

// launch starts the supervisor and, through it, the child.
func (k *keeper) launch(self *actor.Self) error {
	spec := k.child.Spec
	spec.Start = k.gate.pass
	tree := supervisor.Spec{Intensity: supervisor.AtMost(k.cfg.Restarts)}
	if spec.Restart != supervisor.Permanent {
		spec.Significant, tree.AutoShutdown = true, supervisor.AnySignificant
	}
	sup, err := supervisor.New(tree)
	if err != nil {
		return err
	}
	pid, err := self.SpawnLink(sup, actor.Label("placed "+spec.ID))
	if err != nil {
		return err
	}
	k.sup, k.supRef = pid, self.Monitor(pid)
	sys := self.System()
	k.do(self, noTimeout, func(ctx context.Context) any {
		_, err := supervisor.StartChild(ctx, sys, pid, spec)
		return launched{err}
	})
	return nil
}

// restart tries again to start a child whose name was taken.
func (k *keeper) restart(self *actor.Self) {
	sys, sup, id := self.System(), k.sup, k.child.Spec.ID
	k.do(self, noTimeout, func(ctx context.Context) any {
		_, err := supervisor.RestartChild(ctx, sys, sup, id)
		if errors.Is(err, supervisor.ErrRunning) || errors.Is(err, supervisor.ErrRestarting) {
			err = nil
		}
		return launched{err}
	})
}

// unwanted deals with a start that made no process.
func (k *keeper) unwanted(self *actor.Self, m unwanted) {
	k.instance = actor.PID{}
	switch {
	case k.stopping:
	case !m.taken:
		k.tell(self, kept{kind: ChildDone})
	default:
		if !k.waited {
			k.waited = true
			k.tell(self, kept{kind: ChildWaits, err: m.err})
		}
		self.SendAfter(retryInterval, again{})
	}
}

// mergeAll lets the instance take in what others have handed over.
func (k *keeper) mergeAll(self *actor.Self) {
	sys, instance, handoff := self.System(), k.instance, k.child.Handoff
	for _, s := range k.states {
		if handoff == nil {
			break
		}
		k.do(self, k.cfg.HandoffTimeout, func(ctx context.Context) any {
			err := guarded(func() error { return handoff.Merge(ctx, sys, instance, s.State) })
			return merged{s.From, err}
		})
	}
	k.states = nil
}

// release begins the end: the state first, while the instance still runs.
func (k *keeper) release(self *actor.Self, give bool) error {
	if k.stopping {
		return nil
	}
	if !give || k.instance.IsZero() || k.child.Handoff == nil {
		return k.stop(self)
	}
	k.stopping = true
	sys, instance, handoff, limit := self.System(), k.instance, k.child.Handoff, k.cfg.MaxState
	k.do(self, k.cfg.HandoffTimeout, func(ctx context.Context) any {
		var state []byte
		err := guarded(func() (err error) {
			state, err = handoff.Give(ctx, sys, instance)
			return err
		})
		if len(state) > limit {
			err = fmt.Errorf("registry: state of %d bytes, at most %d", len(state), limit)
		}
		if err != nil {
			state = nil
		}
		return gave{state, err}
	})
	return nil
}

// stop ends the child, or whatever has come of it so far.
func (k *keeper) stop(self *actor.Self) error {
	k.stopping = true
	switch {
	case !k.sup.IsZero():
		_ = self.Exit(k.sup, actor.ErrShutdown) // its Down comes, or is here already
	case !k.busy.IsZero():
		_ = self.Exit(k.busy, actor.ErrShutdown) // acquired comes, and says how
	default:
		return k.giveBack(self)
	}
	return nil
}

// gone goes on when the child's supervisor has ended.
func (k *keeper) gone(self *actor.Self, reason error) error {
	k.sup = actor.PID{}
	k.instance = actor.PID{}
	switch {
	case k.stopping:
	case errors.Is(reason, supervisor.ErrAutoShutdown):
		k.tell(self, kept{kind: ChildDone})
		return nil // and hold it, lest another node start it
	default:
		k.failure = reason
	}
	k.stopping = true
	return k.giveBack(self)
}

// end is the keeper's, with what it has to say at last.
func (k *keeper) end(self *actor.Self) error {
	last := kept{kind: ChildStopped, states: k.left()}
	switch {
	case k.lapsed:
		last.kind, last.err = LeaseLost, ErrLeaseLost
	case k.failure != nil:
		last.kind, last.err = ChildFailed, k.failure
	}
	k.tell(self, last)
	return actor.ErrNormal
}

// left is the state that the next instance should have: what this one has given,
// or what it was to begin with if it never could; and what was not merged.
func (k *keeper) left() (states [][]byte) {
	switch {
	case k.given && k.state != nil:
		states = append(states, k.state)
	case !k.given && k.tenure.State != nil && (!k.lived || k.failure != nil):
		states = append(states, k.tenure.State)
	}
	for _, s := range k.states {
		states = append(states, s.State)
	}
	return states
}

// Terminate implements actor.Terminator. When the placement or the node ends,
// so does the child, in order, and no later than its lease.
func (k *keeper) Terminate(self *actor.Self, _ error) {
	if !k.sup.IsZero() {
		_ = self.Exit(k.sup, actor.ErrShutdown)
		ctx, cancel := context.WithCancel(context.Background())
		if k.leased {
			ctx, cancel = context.WithDeadline(context.Background(), k.clock.kill())
		}
		defer cancel()
		if _, err := self.AwaitDown(ctx, k.supRef); err != nil {
			k.kill(self)
		}
	}
	if k.leased && !k.lapsed {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
		defer cancel()
		_ = guarded(func() error { return k.cfg.Leases.Release(ctx, k.leaseName(), k.tenure.Token) })
	}
}
