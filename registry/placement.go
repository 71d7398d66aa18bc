package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// DefaultSettle is how long the views of a side must have agreed before its
// nodes act on them: several times what a change takes to reach everybody, and
// short enough that a lost node's children are back within a second or two.
const DefaultSettle = 500 * time.Millisecond

// PlacementConfig says how a node's placement works; see [StartPlacement].
type PlacementConfig struct {
	// Cluster tells who the members are. It must not be nil.
	Cluster Cluster
	// Settle is how long views must agree; zero means DefaultSettle. It must
	// be the same on all nodes.
	Settle time.Duration
}

// placement is the process that decides which of the declared children run on
// this node. See StartPlacement.
type placement struct {
	cfg      PlacementConfig
	children actor.PID // the supervisor of those that run here
	declared map[string]supervisor.ChildSpec
	views    *agreement
	cancel   func()
	deciding bool // a decide is due
}

// placementTopic is the control topic of views.
const placementTopic = "registry/placement"

const (
	// viewInterval is how often a node repeats its view, in case it was lost.
	viewInterval = time.Second
	// retryInterval is how soon a child that could not be started here, most
	// often because its last instance is still stopping elsewhere, is retried.
	retryInterval = 100 * time.Millisecond
	// placedRestarts, in supervisor.DefaultPeriod, is when the placed children
	// of a node are all started anew: they share a supervisor, so one that
	// crashes for ever must not take the others along too soon.
	placedRestarts = 10
)

// placementName is how the placement of a node is found by [Place].
const placementName = actor.Name("topos.placement")

// StartPlacement returns the start function of a node's placement: a supervisor
// with the placed children's supervisor and the process that decides.
//
// A placement runs children that are declared for the whole cluster, with
// [Place]. Every node declares the same ones; each runs on the node that [Owner]
// names for its ID.
//
// Once the nodes that can reach each other have seen the same members for
// Settle, exactly one of them runs each child. Before that, and across a
// partition, there may be none or several. When a node is lost its children are
// started elsewhere; when one joins, its share moves to it, and the instances
// that move are stopped by their supervisor, with their Shutdown.
//
// A child should register a ClusterName. Then its next instance is not started
// before the last one has ended, and of two that come together when a partition
// heals the older one keeps the name and the other ends. Without a name two may
// overlap for a moment whenever a child moves.
func StartPlacement(cfg PlacementConfig) actor.StartFunc {
	if cfg.Settle == 0 {
		cfg.Settle = DefaultSettle
	}
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		if cfg.Cluster == nil {
			return actor.PID{}, errors.New("registry: PlacementConfig.Cluster is nil")
		}
		if cfg.Settle < 0 {
			return actor.PID{}, fmt.Errorf("registry: PlacementConfig.Settle %v is negative", cfg.Settle)
		}
		children := supervisor.Start(supervisor.Spec{Intensity: supervisor.AtMost(placedRestarts)}, actor.Name("topos.placed"), actor.Label("placed children"))
		decider := actor.Start(func() actor.Actor { return &placement{cfg: cfg} }, placementName, actor.Label("placement"))
		return supervisor.Start(supervisor.Spec{
			Strategy: supervisor.OneForAll,
			Children: []supervisor.ChildSpec{
				{ID: "children", Type: supervisor.Supervisor, Shutdown: supervisor.Infinity, Start: children},
				{ID: "placement", Start: decider},
			},
		}, actor.Label("placement"))(parent)
	}
}

// Place declares children on this node. An ID means the same child on every
// node, and its first declaration here stands. Place returns when the
// declaration has been taken in, not when the children run.
func Place(ctx context.Context, from actor.Caller, children ...supervisor.ChildSpec) error {
	var errs []error
	for i := range children {
		errs = append(errs, children[i].Validate(supervisor.Never))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := actor.Call[bool](ctx, from, placementName, declare{children})
	return err
}

// Messages of the placement process.
type (
	declare   struct{ children []supervisor.ChildSpec }
	memberNow struct {
		node actor.NodeID
		up   bool
	}
	viewHeard struct {
		node actor.NodeID
		view uint64
	}
	decideNow  struct{}
	repeatView struct{}
)

// Init implements actor.Initializer.
func (p *placement) Init(self *actor.Self) error {
	children, ok := self.System().Whereis("topos.placed")
	if !ok {
		return errors.New("registry: the placed children's supervisor is not there")
	}
	p.children = children
	p.declared = make(map[string]supervisor.ChildSpec)
	p.views = newAgreement(p.cfg.Cluster.Self(), p.cfg.Settle)
	p.views.weigh(time.Now())
	sys, me := self.System(), self.PID()
	// A send can only fail when this process has ended.
	p.cfg.Cluster.HandleControl(placementTopic, func(from actor.NodeID, payload []byte) {
		if len(payload) == 8 {
			_ = sys.Send(me, viewHeard{from, binary.BigEndian.Uint64(payload)})
		}
	})
	p.cancel = p.cfg.Cluster.Watch(func(node actor.NodeID, up bool) { _ = sys.Send(me, memberNow{node, up}) })
	self.Every(viewInterval, repeatView{})
	return nil
}

// Terminate implements actor.Terminator.
func (p *placement) Terminate(*actor.Self, error) { p.cancel() }

// Receive implements actor.Actor.
func (p *placement) Receive(self *actor.Self, msg any) error {
	now := time.Now()
	switch m := msg.(type) {
	case declare:
		for _, c := range m.children {
			if _, known := p.declared[c.ID]; !known {
				p.declared[c.ID] = c
			}
		}
		_ = self.Reply(true)
	case memberNow:
		if p.views.member(now, m.node, m.up) {
			p.tellView()
		}
	case viewHeard:
		if p.views.heard(now, m.node, m.view) {
			p.tellViewTo(m.node)
		}
	case repeatView:
		p.tellView()
	case decideNow:
		p.deciding = false
		return p.decide(self)
	}
	p.decideLater(self, now)
	return nil
}

// tellView tells the other members what this node sees.
func (p *placement) tellView() {
	for _, node := range p.views.members() {
		if node != p.views.self {
			p.tellViewTo(node)
		}
	}
}

func (p *placement) tellViewTo(node actor.NodeID) {
	payload := binary.BigEndian.AppendUint64(nil, p.views.view())
	_ = p.cfg.Cluster.SendControl(node, placementTopic, payload) // repeated anyway
}

// decideLater makes sure of a decision when the views have settled.
func (p *placement) decideLater(self *actor.Self, now time.Time) {
	if ok, due := p.views.settled(now); !p.deciding && (ok || !due.IsZero()) {
		p.deciding = true
		self.SendAfter(max(0, due.Sub(now)), decideNow{})
	}
}

// decide starts and stops children so that this node runs its share.
func (p *placement) decide(self *actor.Self) error {
	now := time.Now()
	if ok, _ := p.views.settled(now); !ok {
		p.decideLater(self, now)
		return nil
	}
	running, err := p.running(self)
	if err != nil {
		return err // the children's supervisor is gone: start anew with it
	}
	members := p.views.members()
	complete := true
	for _, id := range slices.Sorted(maps.Keys(p.declared)) {
		mine := Owner(id, members) == p.views.self
		here, present := running[id]
		switch {
		case mine && !here:
			complete = p.start(self, p.declared[id], present) && complete
		case !mine && present:
			p.stop(self, id)
		}
	}
	if !complete {
		p.deciding = true
		self.SendAfter(retryInterval, decideNow{})
	}
	return nil
}

// running says of the children that are present here whether they run.
func (p *placement) running(self *actor.Self) (map[string]bool, error) {
	infos, err := supervisor.WhichChildren(self.Context(), self, p.children)
	if err != nil {
		return nil, err
	}
	running := make(map[string]bool)
	for _, c := range infos {
		running[c.ID] = c.Status != supervisor.Stopped
	}
	return running, nil
}

// start starts a child here. It reports false if that has to be tried again.
func (p *placement) start(self *actor.Self, child supervisor.ChildSpec, present bool) bool {
	var pid actor.PID
	var err error
	if present {
		pid, err = supervisor.RestartChild(self.Context(), self, p.children, child.ID)
	} else {
		child.Start = unlessTaken(child.Start)
		pid, err = supervisor.StartChild(self.Context(), self, p.children, child)
	}
	if err != nil {
		self.Logger().Warn("placed child did not start", "child", child.ID, "error", err)
	}
	return err == nil && !pid.IsZero()
}

// unlessTaken makes of a name that is taken a reason not to start, instead of a
// failure that the supervisor would count: the other instance is stopping, or
// stands on the other side of a partition that has just healed.
func unlessTaken(start actor.StartFunc) actor.StartFunc {
	return func(parent *actor.Self, args ...any) (actor.PID, error) {
		pid, err := start(parent, args...)
		if errors.Is(err, actor.ErrNameTaken) {
			return actor.PID{}, fmt.Errorf("%w: %w", actor.ErrIgnore, err)
		}
		return pid, err
	}
}

// stop stops a child that another node is to run.
func (p *placement) stop(self *actor.Self, id string) {
	err := supervisor.TerminateChild(self.Context(), self, p.children, id)
	if err == nil {
		err = supervisor.DeleteChild(self.Context(), self, p.children, id)
	}
	if err != nil && !errors.Is(err, supervisor.ErrNotFound) {
		self.Logger().Warn("placed child did not stop", "child", id, "error", err)
	}
}
