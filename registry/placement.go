package registry

import (
	"errors"
	"maps"
	"sync"
	"time"
	"unique"

	"github.com/fxamacker/cbor/v2"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/exchange"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// placement is the process that decides which of the declared children run on
// this node. See StartPlacement.
type placement struct {
	cfg    PlacementConfig
	self   actor.NodeID
	views  *agreement
	seats  *exchange.Exchange[seat]
	chart  chart
	own    seat // of this node
	wards  map[string]*ward
	byPID  map[actor.PID]*ward // by keeper
	drains []actor.From
	told   uint64 // the view of the last ViewSettled
	view   uint64 // what the others were told that this node sees
	// handed counts, by child, the states that have come from each node.
	handed map[string]map[actor.NodeID]uint64

	timer actor.TimerRef
	due   time.Time // of timer; zero for none
	close func()
}

// ward is a declared child on this node.
type ward struct {
	child Child
	seat  seat
	// home is a hash of its candidates, and since when it has been that.
	home  uint64
	since time.Time

	keeper actor.PID
	// left is when it was given up, until another node runs it; zero otherwise.
	left time.Time
	// rests is until when it is left alone here, and crashed when it was last
	// given up for that.
	rests, crashed time.Time
	waits          bool     // ChildWaits was told
	twice          bool     // DuplicateFound was told
	states         []handed // for its next instance
	// coming is the number of states on their way here that it was last waited for,
	// and from when on.
	coming      uint64
	comingSince time.Time
}

const (
	// seatsTopic is the topic of what nodes know and see, handoffTopic of states.
	seatsTopic   = "registry/seats"
	handoffTopic = "registry/handoff"
	// pollInterval is how often a node asks for its attributes, and how soon it is
	// noticed that somebody has not heard of a view.
	pollInterval = time.Second
	// gatherSeats is how soon after a broadcast there is another: when many nodes
	// come, each changes its view with each.
	gatherSeats = 100 * time.Millisecond
	// stateGrace is how long a child waits for a state that has been sent here: as
	// long as it takes to connect, since what is said to all may come before.
	stateGrace = time.Second
	// retryInterval is how soon a child that could not be started here, most
	// often because its last instance is still stopping elsewhere, is retried.
	retryInterval = 100 * time.Millisecond
	// transit is how long a child that was given up counts as on the move.
	transit = 10 * time.Second
	// maxHops and maxStates bound the states that are on their way to a child.
	maxHops   = 4
	maxStates = 16
)

// Messages of the placement process.
type (
	declare   struct{ children []Child }
	locate    struct{ id string }
	drain     struct{}
	memberNow struct {
		node actor.NodeID
		up   bool
	}
	seatsNow  struct{ changes []ledger.Change[seat] }
	syncedNow struct{}
	decideNow struct{}
	pollNow   struct{}
)

// handed is the state of an instance of a child on its way to another.
type handed struct {
	_     struct{} `cbor:",toarray"`
	ID    string
	State []byte
	Hops  int
	From  actor.NodeID `cbor:"-"` // set by the receiver
}

// Init implements actor.Initializer.
func (p *placement) Init(self *actor.Self) error {
	self.TrapExit(true) // keepers are linked
	p.self = p.cfg.Cluster.Self()
	p.views = newAgreement(p.self, p.cfg.Settle)
	p.chart = newChart()
	p.wards = make(map[string]*ward)
	p.byPID = make(map[actor.PID]*ward)
	p.handed = make(map[string]map[actor.NodeID]uint64)
	sys, me := self.System(), self.PID()
	// A send to this process can only fail when it has ended.
	p.seats = exchange.New(exchange.Config[seat]{
		Topic:       seatsTopic,
		Node:        p.self,
		Logger:      self.Logger(),
		AntiEntropy: pollInterval,
		Gather:      gatherSeats,
		Hasty:       true,
		Weigh:       seat.weight,
		Changed: func(_ *ledger.Ledger[seat], changes []ledger.Change[seat]) func() {
			_ = sys.Send(me, seatsNow{changes})
			return nil
		},
		Turned: func() { _ = sys.Send(me, syncedNow{}) },
	})
	cluster := p.cfg.Cluster
	cluster.HandleControl(handoffTopic, func(from actor.NodeID, payload []byte) {
		var h handed
		if err := cbor.Unmarshal(payload, &h); err == nil {
			h.From = from
			_ = sys.Send(me, h)
		}
	})
	p.poll(self, time.Now())
	cancel := cluster.Watch(func(node actor.NodeID, up bool) { _ = sys.Send(me, memberNow{node, up}) })
	p.seats.Start(cluster)
	p.close = sync.OnceFunc(func() {
		cancel()
		p.seats.Close()
	})
	// A placement that is killed has no Terminate.
	afterDone(self, p.close)
	self.Every(pollInterval, pollNow{})
	return nil
}

// Terminate implements actor.Terminator: the children end first.
func (p *placement) Terminate(self *actor.Self, _ error) {
	refs := make(map[actor.PID]actor.MonitorRef)
	for keeper := range p.byPID {
		refs[keeper] = self.Monitor(keeper)
		_ = self.Exit(keeper, actor.ErrShutdown)
	}
	ctx, cancel := endless()
	defer cancel()
	for _, ref := range refs {
		_, _ = self.AwaitDown(ctx, ref) // it fails only if this process is killed
	}
	p.close()
}

// Receive implements actor.Actor.
func (p *placement) Receive(self *actor.Self, msg any) error {
	now := time.Now()
	switch m := msg.(type) {
	case declare:
		p.declare(self, m.children)
		_ = self.Reply(true)
	case locate:
		return self.Reply(p.locate(m.id))
	case drain:
		idle := p.idle(now) // before this node is nobody's home any more
		p.drains = append(p.drains, self.From())
		p.poll(self, now)
		if idle {
			p.drained()
		}
	case memberNow:
		if !m.up {
			for _, from := range p.handed {
				delete(from, m.node)
			}
		}
		if p.views.member(now, m.node, m.up) {
			p.learn(now, m.node)
			p.tellView()
		}
	case seatsNow:
		for _, c := range m.changes {
			p.chart.follow(c)
			if c.Key == viewKey && c.Has {
				p.views.heard(now, c.Owner.Value(), c.New.View)
			}
		}
		p.learnAll(now)
	case syncedNow:
		p.learnAll(now)
	case pollNow:
		p.poll(self, now)
	case decideNow:
		p.due = time.Time{}
		return p.decide(self, now)
	default:
		if err := p.follow(self, now, msg); err != nil {
			return err
		}
	}
	p.soon(self, now, now)
	return nil
}

// soon makes sure of a decision at the given time or before.
func (p *placement) soon(self *actor.Self, now, at time.Time) {
	if !p.due.IsZero() {
		if !at.Before(p.due) {
			return
		}
		self.CancelTimer(p.timer)
	}
	p.due = at
	p.timer = self.SendAfter(max(0, at.Sub(now)), decideNow{})
}

// declare takes in children. The first declaration stands.
func (p *placement) declare(self *actor.Self, children []Child) {
	for _, c := range children {
		id := c.Spec.ID
		if p.wards[id] != nil {
			continue
		}
		w := &ward{child: c}
		p.wards[id] = w
		p.publish(w)
		if err := c.valid(p.cfg.Leases != nil); err != nil {
			self.Logger().Warn("a placed child cannot run on this node", "child", id, "error", err)
		}
	}
}

// publish lets the others know the seat of a ward.
func (p *placement) publish(w *ward) { p.put(childKey(w.child.Spec.ID), w.seat) }

func (p *placement) put(key string, s seat) {
	p.seats.Do(func(l *ledger.Ledger[seat]) { p.chart.follow(l.Put(key, s)) })
}

// locate returns the instance that runs, of several that of the first node in
// order, so that all nodes say the same.
func (p *placement) locate(id string) actor.PID {
	for _, node := range p.views.members() {
		if s := p.chart.children[id][node]; s.Phase == running && s.PID != 0 {
			return actor.MakePID(unique.Make(node), s.PID)
		}
	}
	return actor.PID{}
}

// poll asks for this node's attributes.
func (p *placement) poll(self *actor.Self, now time.Time) {
	a, draining := Attributes{}, len(p.drains) > 0 || p.own.Draining
	if p.cfg.Attributes != nil {
		if err := guarded(func() error { a = p.cfg.Attributes(); return nil }); err != nil {
			self.Logger().Warn("the attributes of this node are not known", "error", err)
			if draining == p.own.Draining {
				return
			}
			a = Attributes{Weight: p.own.Weight, Labels: p.own.Labels} // to leave, the last will do
		}
	}
	s := seat{Weight: a.Weight, Labels: maps.Clone(a.Labels), Draining: draining}
	if s.Weight == 0 {
		s.Weight = 1
	}
	if s.weight() > maxSeat {
		self.Logger().Warn("the labels of this node are too many", "error", errTooManyLabels)
		s.Labels = nil
	}
	if _, known := p.chart.nodes[p.self]; known && s.fact() == p.own.fact() {
		return
	}
	p.own = s
	p.put(nodeKey, s)
	p.learn(now, p.self)
	p.tellView()
}

var errTooManyLabels = errors.New("registry: labels of more than 32 KiB")

// learnAll brings the facts about all members up to date.
func (p *placement) learnAll(now time.Time) {
	news := false
	for _, node := range p.views.members() {
		news = p.learn(now, node) || news
	}
	if news {
		p.tellView()
	}
}

// learn brings the fact about one member up to date, once all it has to say is
// known.
func (p *placement) learn(now time.Time, node actor.NodeID) bool {
	s, known := p.chart.nodes[node]
	if !known {
		return false
	}
	if _, had := p.views.facts[node]; !had && node != p.self {
		synced := false
		p.seats.Do(func(l *ledger.Ledger[seat]) { synced = l.Synced(node) })
		if !synced {
			return false
		}
	}
	return p.views.fact(now, node, s.fact())
}

// tellView lets the other members know what this node sees, if that has changed.
func (p *placement) tellView() {
	if view := p.views.view(); view != p.view {
		p.view = view
		p.put(viewKey, seat{View: view})
	}
}

// observe tells of a step.
func (p *placement) observe(e PlacementEvent) {
	e.View = p.views.view()
	if p.cfg.Observe != nil {
		// A panic in it is not worth the children.
		_ = guarded(func() error { p.cfg.Observe(e); return nil })
	}
}
