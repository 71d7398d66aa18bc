package partition

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/remote"
)

// Guard is an actor that stands before another one, in the same process, and
// lets messages through or refuses them. It is made with [New].
type Guard struct {
	cfg   Config
	inner actor.Actor
	view  *view

	leader  actor.NodeID // as far as this node knows
	merge   *merge       // with MergeOnReconnect
	cancels []func()
	err     error // of the Config
}

// New returns the actor of a guarded process: inner behind a guard. A mistake
// in cfg is the error of its spawn. Each process needs actors of its own.
//
// The guard is an actor.Initializer and an actor.Terminator, and calls inner if
// that is one too. A call that is refused fails with a *[RefusedError]; another
// message becomes a dead letter with that as the reason.
func New(cfg Config, inner actor.Actor) *Guard {
	return &Guard{cfg: cfg.withDefaults(), inner: inner, err: cfg.valid(inner)}
}

// Start returns the start function of a supervised guarded process, registered
// under its name. newInner makes a fresh actor for every start.
func Start(cfg Config, newInner func() actor.Actor, opts ...actor.SpawnOption) actor.StartFunc {
	opts = append([]actor.SpawnOption{cfg.Name}, opts...)
	return actor.Start(func() actor.Actor { return New(cfg, newInner()) }, opts...)
}

// Messages of a guard to itself, and of this node's goroutines to it.
type (
	memberNews remote.MemberEvent
	endNews    directory.PartitionEnded
	leaderNews struct{ leader actor.NodeID }
	tick       struct{}
	status     struct{}
	forget     struct{ node string }
)

// Init implements actor.Initializer.
func (g *Guard) Init(self *actor.Self) error {
	if g.err != nil {
		return g.err
	}
	node := self.System().Node()
	g.view = newView(node, g.cfg.MinLost)
	if g.cfg.Strategy == MergeOnReconnect {
		m, err := newMerge(self, &g.cfg, g.inner.(Merger))
		if err != nil {
			return err
		}
		g.merge = m
	}
	if init, ok := g.inner.(actor.Initializer); ok {
		if err := init.Init(self); err != nil {
			return err
		}
	}
	g.listen(self.System(), self.PID())
	self.Every(g.cfg.Interval, tick{})
	return nil
}

// listen lets pid hear of the cluster until it ends.
func (g *Guard) listen(sys *actor.System, pid actor.PID) {
	g.hear(sys, pid, func(tell func(any)) func() {
		return g.cfg.Cluster.Subscribe(func(ev remote.MemberEvent) { tell(memberNews(ev)) })
	})
	g.hear(sys, pid, func(tell func(any)) func() {
		return g.cfg.Cluster.ObserveRemote(func(ev remote.Event) {
			if r, ok := ev.(remote.OverlayReport); ok {
				if ended, ok := r.Value.(directory.PartitionEnded); ok {
					tell(endNews(ended))
				}
			}
		})
	})
	if g.cfg.Strategy == ElectLeader {
		g.hear(sys, pid, func(tell func(any)) func() {
			return g.cfg.Leader.Watch(func(leader actor.NodeID) { tell(leaderNews{leader}) })
		})
	}
}

// hear subscribes to something for pid. A guard that was killed does not cancel
// it, so the next news do.
func (g *Guard) hear(sys *actor.System, pid actor.PID, subscribe func(tell func(any)) (cancel func())) {
	var cancel atomic.Pointer[func()]
	stop := subscribe(func(msg any) {
		if sys.Alive(pid) {
			_ = sys.Send(pid, msg)
		} else if stop := cancel.Swap(nil); stop != nil {
			(*stop)()
		}
	})
	cancel.Store(&stop)
	g.cancels = append(g.cancels, func() {
		if stop := cancel.Swap(nil); stop != nil {
			(*stop)()
		}
	})
}

// Terminate implements actor.Terminator.
func (g *Guard) Terminate(self *actor.Self, reason error) {
	for _, cancel := range g.cancels {
		cancel()
	}
	if t, ok := g.inner.(actor.Terminator); ok {
		t.Terminate(self, reason)
	}
}

// Receive implements actor.Actor.
func (g *Guard) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case memberNews:
		g.member(self, m)
	case endNews:
		for _, n := range m.Crashed {
			node := actor.NodeID{Name: n.Name, Incarnation: actor.Incarnation{Boot: n.Boot, Unique: n.Unique}}
			if _, lost := g.view.lost[node]; lost {
				g.gone(node, g.view.down(time.Now(), node, crashed))
			}
		}
	case leaderNews:
		g.leader = m.leader
	case tick:
		return g.tick(self)
	case status:
		return self.Reply(g.status())
	case forget:
		g.forget(m.node)
		return self.Reply(nil)
	case Digest, Entries, State:
		if g.merge != nil {
			return g.merge.receive(self, m)
		}
	case actor.Down, actor.Exit, actor.NodeDown, actor.ReceiveTimeout:
		return g.inner.Receive(self, msg)
	default:
		if g.cfg.Classify(msg) == Write {
			return g.write(self, msg)
		}
		return g.inner.Receive(self, msg)
	}
	return nil
}

// write lets a write through, or refuses it.
func (g *Guard) write(self *actor.Self, msg any) error {
	if err := g.refuse(); err != nil {
		g.turnDown(self, msg, err)
		return nil
	}
	if g.merge == nil {
		return g.inner.Receive(self, msg)
	}
	missing, err := g.merge.write(self, msg)
	if missing != nil {
		full := g.view.refused(g.cfg.Strategy, ErrLogFull)
		full.Missing = missing
		g.turnDown(self, msg, full)
	}
	return err
}

// refuse returns why this node takes no writes now, or nil.
func (g *Guard) refuse() *RefusedError {
	if g.cfg.Strategy == ElectLeader {
		return elected(g.view, g.leader, g.cfg.Leader.IsLeader(), g.cfg.LeaderOnly)
	}
	if g.cfg.Strategy == ReadOnly && g.view.parted {
		return g.view.refused(ReadOnly, ErrReadOnly)
	}
	return nil
}

// elected decides for ElectLeader. It is pure. Leader is who leads as far as
// this node knows, holds whether this node has the lease for certain.
func elected(v *view, leader actor.NodeID, holds, only bool) *RefusedError {
	switch {
	case holds:
		return nil
	case !only && !v.parted:
		return nil
	case !only && v.here[leader]:
		return nil
	}
	refused := v.refused(ElectLeader, ErrReadOnly)
	if v.here[leader] {
		refused.Leader = leader
	}
	return refused
}

func (g *Guard) turnDown(self *actor.Self, msg any, err *RefusedError) {
	g.observe(Refused{err})
	if self.IsCall() {
		_ = self.ReplyError(err)
		return
	}
	self.System().DeadLetter(actor.DeadLetter{To: self.PID(), Message: msg, Reason: err})
}

// member: a node has come or gone.
func (g *Guard) member(self *actor.Self, m memberNews) {
	if m.Kind == remote.MemberUp {
		g.observe(g.view.up(m.Node)...)
		if g.merge != nil {
			g.merge.do(self, g.merge.log.peerUp(m.Node))
		}
		return
	}
	why := silent
	switch {
	case m.Kind == remote.MemberLeft, errors.Is(m.Reason, overlay.ErrLeft):
		why = left
	case errors.Is(m.Reason, overlay.ErrUnreachable), errors.Is(m.Reason, overlay.ErrRestarted):
		why = crashed
	}
	events := g.view.down(time.Now(), m.Node, why)
	if why != silent {
		g.gone(m.Node, events)
		return
	}
	g.observe(events...)
	if g.merge != nil {
		g.merge.log.peerDown(m.Node)
	}
}

// gone: an incarnation of a node will not come back.
func (g *Guard) gone(node actor.NodeID, events []Event) {
	g.observe(events...)
	if g.merge != nil {
		g.merge.log.peerGone(node)
	}
}

func (g *Guard) forget(name string) {
	for _, node := range g.view.sideLost() {
		if node.Name == name {
			g.gone(node, g.view.forget(name))
		}
	}
}

func (g *Guard) tick(self *actor.Self) error {
	if g.cfg.GiveUp > 0 {
		gone, events := g.view.expire(time.Now().Add(-g.cfg.GiveUp))
		g.observe(events...)
		for _, node := range gone {
			g.gone(node, nil)
		}
	}
	if g.merge != nil {
		return g.merge.do(self, g.merge.log.tick())
	}
	return nil
}

func (g *Guard) observe(events ...Event) {
	if g.cfg.Observe != nil {
		for _, ev := range events {
			g.cfg.Observe(ev)
		}
	}
}
