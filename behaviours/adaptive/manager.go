package adaptive

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/remote"
)

// Manager is the actor that measures the cluster and changes its topology. One
// runs on every node; only that on the lowest member acts. It is made with
// [New].
type Manager struct {
	cfg    Config
	core   *Core
	err    error // of the Config
	cancel func()

	parted bool
	trips  window
	asked  map[string]question // by node, the last one
	nonce  uint64
	rates  map[string]float64 // by node
	stats  remote.Stats       // when they were looked at last
	looked time.Time
	rate   float64 // of this node
	last   Decision
}

// question is a Ping that has been sent.
type question struct {
	nonce uint64
	at    time.Time
}

// Messages between managers.
type (
	// Ping asks the manager of another node for a Pong.
	Ping struct {
		From  string
		Nonce uint64
	}
	// Pong answers a Ping, with the rate at the node that answers.
	Pong struct {
		From  string
		Nonce uint64
		Rate  float64
	}
)

// WireTypes returns a value of every type that managers send to other nodes, to
// be registered with the cluster's codec.
func WireTypes() []any { return []any{Ping{}, Pong{}} }

// Messages of a manager to itself.
type (
	tick    struct{}
	parting bool
)

// New returns a manager. A mistake in cfg is the error of its spawn.
func New(cfg Config) *Manager {
	return &Manager{
		cfg: cfg.withDefaults(), err: cfg.valid(), trips: window{size: windowSize},
		asked: make(map[string]question), rates: make(map[string]float64),
	}
}

// Start returns the start function of a supervised manager, registered under
// its name.
func Start(cfg Config, opts ...actor.SpawnOption) actor.StartFunc {
	opts = append([]actor.SpawnOption{cfg.Name}, opts...)
	return actor.Start(func() actor.Actor { return New(cfg) }, opts...)
}

// Init implements actor.Initializer.
func (m *Manager) Init(self *actor.Self) error {
	if m.err != nil {
		return m.err
	}
	core, err := NewCore(m.cfg)
	if err != nil {
		return err
	}
	m.core = core
	m.stats, m.looked = m.cfg.Cluster.RemoteStats(), time.Now()
	m.nonce = uint64(m.looked.UnixNano()) // no answer to a manager before this one fits
	m.listen(self.System(), self.PID())
	self.Every(m.cfg.Interval, tick{})
	m.ask(self)
	return nil
}

// listen lets pid hear of partitions until it ends.
func (m *Manager) listen(sys *actor.System, pid actor.PID) {
	var stop atomic.Pointer[func()]
	cancel := func() {
		if f := stop.Swap(nil); f != nil {
			(*f)()
		}
	}
	end := m.cfg.Cluster.ObserveRemote(func(ev remote.Event) {
		report, ok := ev.(remote.OverlayReport)
		if !ok {
			return
		}
		var parted parting
		switch v := report.Value.(type) {
		case directory.PartitionDetected:
			parted = true
		case directory.PartitionHealed:
			parted = len(v.Missing) > 0
		case directory.PartitionEnded:
		default:
			return
		}
		if sys.Alive(pid) {
			_ = sys.Send(pid, parted)
		} else {
			cancel() // it was killed
		}
	})
	stop.Store(&end)
	m.cancel = cancel
}

// Terminate implements actor.Terminator.
func (m *Manager) Terminate(*actor.Self, error) { m.cancel() }

// Receive implements actor.Actor.
func (m *Manager) Receive(self *actor.Self, msg any) error {
	switch msg := msg.(type) {
	case tick:
		m.look(time.Now())
		m.step(self)
		m.ask(self)
	case parting:
		m.parted = bool(msg)
	case Ping:
		_ = self.Send(m.at(msg.From), Pong{From: self.System().Node().Name, Nonce: msg.Nonce, Rate: m.rate})
	case Pong:
		if q, ok := m.asked[msg.From]; ok && q.nonce == msg.Nonce {
			delete(m.asked, msg.From)
			m.trips.add(time.Since(q.at))
			m.rates[msg.From] = msg.Rate
		}
	}
	return nil
}

func (m *Manager) at(node string) actor.NameAt { return actor.NameAt{Name: m.cfg.Name, Node: node} }

// look measures this node's rate.
func (m *Manager) look(now time.Time) {
	stats := m.cfg.Cluster.RemoteStats()
	if span := now.Sub(m.looked).Seconds(); span > 0 {
		m.rate = float64(stats.Sent-m.stats.Sent+stats.Received-m.stats.Received) / span
	}
	m.stats, m.looked = stats, now
}

// sample returns the nodes to ask: those that follow this one, in a ring. So
// each is asked by as few, and a node has connections to few because of this.
func sample(self actor.NodeID, members []actor.NodeID, n int) []string {
	ring := slices.Clone(members)
	slices.SortFunc(ring, func(a, b actor.NodeID) int {
		switch {
		case a.Less(b):
			return -1
		case b.Less(a):
			return 1
		}
		return 0
	})
	at := slices.IndexFunc(ring, func(id actor.NodeID) bool { return self.Less(id) })
	var names []string
	for i := range ring {
		id := ring[(max(at, 0)+i)%len(ring)]
		if id.Name == self.Name {
			continue
		}
		if len(names) == n {
			break
		}
		names = append(names, id.Name)
	}
	return names
}

// ask measures the way to others. What they have not answered since is not
// waited for any more.
func (m *Manager) ask(self *actor.Self) {
	node := self.System().Node()
	names := sample(node, m.cfg.Cluster.Members(), m.cfg.Sample)
	for name := range m.rates {
		if !slices.Contains(names, name) {
			delete(m.rates, name)
		}
	}
	clear(m.asked)
	for _, name := range names {
		m.nonce++
		m.asked[name] = question{m.nonce, time.Now()}
		_ = self.Send(m.at(name), Ping{From: node.Name, Nonce: m.nonce})
	}
}

// metrics are those of this moment.
func (m *Manager) metrics() Metrics {
	sum := m.rate
	for _, rate := range m.rates {
		sum += rate
	}
	p50, p99 := m.trips.percentiles()
	return Metrics{
		Topology: m.cfg.Cluster.Topology(), Nodes: len(m.cfg.Cluster.Members()),
		Rate: sum / float64(1+len(m.rates)), P50: p50, P99: p99, Parted: m.parted,
	}
}

// step decides, and acts if it is this node's turn.
func (m *Manager) step(self *actor.Self) {
	now, metrics := time.Now(), m.metrics()
	d := m.core.Step(now, metrics)
	acting := !slices.ContainsFunc(m.cfg.Cluster.Members(), func(id actor.NodeID) bool { return id.Less(self.System().Node()) })
	if d.Switch || d.Rule != m.last.Rule || d.From != m.last.From || d.To != m.last.To {
		m.observe(Decided{Decision: d, Metrics: metrics, Acting: acting})
	}
	m.last = d
	if !d.Switch || !acting {
		return
	}
	ctx, cancel := context.WithTimeout(self.Context(), m.cfg.Timeout)
	defer cancel()
	if err := m.cfg.Cluster.SetTopology(ctx, d.To); err != nil {
		self.Logger().Warn("the topology could not be changed", "rule", d.Rule, "to", d.To, "error", err)
		m.observe(Failed{Rule: d.Rule, To: d.To, Err: err})
		return
	}
	self.Logger().Info("topology changed", "rule", d.Rule, "from", d.From, "to", d.To, "nodes", metrics.Nodes)
	m.observe(Switched{Rule: d.Rule, From: d.From, To: d.To})
}

func (m *Manager) observe(ev Event) {
	if m.cfg.Observe != nil {
		m.cfg.Observe(ev)
	}
}
