package crdtactor

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/lithammer/shortuuid/v4"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// Config says what a [Replica] holds and how it spreads.
type Config[S crdt.State[S]] struct {
	// Name is the local name that the replicas of this state have on every
	// node. The process must be spawned with it: see [Start].
	Name actor.Name
	// New returns an empty state, such as new(crdt.Cart).
	New func() S
	// Members returns the nodes not known to be dead, this one included or
	// not. It must not block.
	Members func() []actor.NodeID
	// Strategy says when changes are sent. The zero Strategy is Eager.
	Strategy Strategy
	// AntiEntropy is how often unacknowledged changes are sent again and
	// states are compared. Zero means DefaultAntiEntropy.
	AntiEntropy time.Duration
	// SyncWait bounds how long a read of a Lazy replica waits for the other
	// nodes. Zero means DefaultSyncWait.
	SyncWait time.Duration
	// Backlog is how many unacknowledged changes are kept one by one. A node
	// further behind gets the whole state. Zero means DefaultBacklog.
	Backlog int
}

// Defaults of Config.
const (
	// DefaultAntiEntropy repairs a loss about as fast as a person notices.
	DefaultAntiEntropy = time.Second
	// DefaultSyncWait is several round trips in one data centre.
	DefaultSyncWait = 200 * time.Millisecond
	// DefaultBacklog is a second of a busy replica's changes.
	DefaultBacklog = 1024
)

// Strategy says when a replica sends its changes to the others.
type Strategy struct {
	kind   strategyKind
	period time.Duration
}

type strategyKind uint8

const (
	eager strategyKind = iota
	periodic
	lazy
)

// Eager sends every change at once.
func Eager() Strategy { return Strategy{} }

// Periodic sends what has changed every d, which must be positive. An Update
// with Copies does not wait for that: its change is sent at once.
func Periodic(d time.Duration) Strategy { return Strategy{periodic, d} }

// Lazy exchanges changes with the other nodes when somebody reads, and at every
// anti-entropy.
func Lazy() Strategy { return Strategy{kind: lazy} }

func (c *Config[S]) valid() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("crdtactor: Config.Name is empty"))
	}
	if c.New == nil {
		errs = append(errs, errors.New("crdtactor: Config.New is nil"))
	}
	if c.Members == nil {
		errs = append(errs, errors.New("crdtactor: Config.Members is nil"))
	}
	if c.Strategy.kind == periodic && c.Strategy.period <= 0 {
		errs = append(errs, fmt.Errorf("crdtactor: Config.Strategy: period %v is not positive", c.Strategy.period))
	}
	if c.AntiEntropy < 0 || c.SyncWait < 0 || c.Backlog < 0 {
		errs = append(errs, errors.New("crdtactor: Config has a negative AntiEntropy, SyncWait or Backlog"))
	}
	return errors.Join(errs...)
}

// Replica is the actor that holds one node's copy of a state. Use [Get] and
// [Update] to reach it.
type Replica[S crdt.State[S]] struct {
	cfg   Config[S]
	id    crdt.ReplicaID
	node  actor.NodeID
	state S
	ship  shipper[S]
	holds map[string]holding // by node

	sum      uint64 // of state, if sumKnown
	sumKnown bool
	writes   []*pendingWrite
	reads    []*pendingRead
	err      error // of the Config
}

// holding says that all changes up to upTo of the replica id have arrived.
type holding struct {
	id   string
	upTo uint64
}

// New returns the actor of a replica. A mistake in cfg is the error of its
// spawn.
func New[S crdt.State[S]](cfg Config[S]) *Replica[S] {
	r := &Replica[S]{cfg: cfg, err: cfg.valid()}
	if r.cfg.AntiEntropy == 0 {
		r.cfg.AntiEntropy = DefaultAntiEntropy
	}
	if r.cfg.SyncWait == 0 {
		r.cfg.SyncWait = DefaultSyncWait
	}
	if r.cfg.Backlog == 0 {
		r.cfg.Backlog = DefaultBacklog
	}
	return r
}

// Start returns the start function of a supervised replica, registered under
// its name.
func Start[S crdt.State[S]](cfg Config[S], opts ...actor.SpawnOption) actor.StartFunc {
	opts = append([]actor.SpawnOption{cfg.Name}, opts...)
	return actor.Start(func() actor.Actor { return New(cfg) }, opts...)
}

// Messages of a replica to itself.
type (
	antiEntropyTick struct{}
	flushTick       struct{}
	readTimeout     struct{ read *pendingRead }
)

// Init implements actor.Initializer.
func (r *Replica[S]) Init(self *actor.Self) error {
	if r.err != nil {
		return r.err
	}
	r.id = crdt.ReplicaID(shortuuid.New())
	r.node = self.System().Node()
	r.state = r.cfg.New()
	r.ship = shipper[S]{limit: r.cfg.Backlog, peers: make(map[string]*peer)}
	r.holds = make(map[string]holding)
	self.Every(r.cfg.AntiEntropy, antiEntropyTick{})
	if r.cfg.Strategy.kind == periodic {
		self.Every(r.cfg.Strategy.period, flushTick{})
	}
	r.greet(self)
	return nil
}

// Receive implements actor.Actor.
func (r *Replica[S]) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case update[S]:
		r.update(self, m)
	case get:
		r.get(self)
	case Hello:
		r.ship.meet(m.Node, m.ID)
		r.flushTo(self, m.Node)
	case Delta:
		return r.receive(self, m)
	case Ack:
		r.acked(m)
	case Sum:
		r.compare(self, m)
	case flushTick:
		r.flush(self)
	case antiEntropyTick:
		r.antiEntropy(self)
	case readTimeout:
		r.answerRead(m.read)
	}
	return nil
}

// others are the names of the other nodes.
func (r *Replica[S]) others() []string {
	var names []string
	for _, m := range r.cfg.Members() {
		if m.Name != r.node.Name {
			names = append(names, m.Name)
		}
	}
	return names
}

// send sends to the replica on another node. It may not be there yet, or its
// node may be lost: anti-entropy sends again.
func (r *Replica[S]) send(self *actor.Self, node string, msg any) {
	_ = self.Send(actor.NameAt{Name: r.cfg.Name, Node: node}, msg)
}

// greet tells the others that this replica is new, so that they send all.
func (r *Replica[S]) greet(self *actor.Self) {
	for _, node := range r.others() {
		r.send(self, node, Hello{Node: r.node.Name, ID: string(r.id)})
	}
}

// flush sends every node what it does not have.
func (r *Replica[S]) flush(self *actor.Self) {
	for _, node := range r.others() {
		r.flushTo(self, node)
	}
}

func (r *Replica[S]) flushTo(self *actor.Self, node string) {
	out, ok := r.ship.next(node, r.state)
	if !ok {
		return
	}
	data, err := out.state.MarshalBinary()
	if err != nil {
		self.Logger().Error("state cannot be encoded", "replica", r.cfg.Name, "error", err)
		return
	}
	r.send(self, node, Delta{Node: r.node.Name, ID: string(r.id), After: out.after, UpTo: out.upTo, Full: out.full, Data: data})
}

// receive takes in what another replica sent, and acknowledges it.
func (r *Replica[S]) receive(self *actor.Self, m Delta) error {
	delta := r.cfg.New()
	if err := delta.UnmarshalBinary(m.Data); err != nil {
		self.Logger().Warn("malformed delta", "replica", r.cfg.Name, "from", m.Node, "error", err)
		return nil
	}
	if r.state.Join(delta) {
		r.sumKnown = false
	}
	if m.UpTo > 0 {
		r.send(self, m.Node, Ack{Node: r.node.Name, ID: string(r.id), Of: m.ID, UpTo: r.held(m)})
	}
	r.heard(m.Node)
	return nil
}

// held returns up to which change of its sender this replica holds all, after
// m was taken in. Changes after a gap do not count until the gap is filled.
func (r *Replica[S]) held(m Delta) uint64 {
	h := r.holds[m.Node]
	if h.id != m.ID {
		h = holding{id: m.ID}
	}
	if m.Full || m.After <= h.upTo {
		h.upTo = max(h.upTo, m.UpTo)
	}
	r.holds[m.Node] = h
	return h.upTo
}

// acked notes what another replica holds.
func (r *Replica[S]) acked(m Ack) {
	if m.Of != string(r.id) {
		return // meant for this node's last replica
	}
	r.ship.acked(m.Node, m.ID, m.UpTo)
	kept := r.writes[:0]
	for _, w := range r.writes {
		if w.seq <= m.UpTo {
			w.holders[m.Node] = true
		}
		if !w.done() {
			kept = append(kept, w)
		}
	}
	clear(r.writes[len(kept):])
	r.writes = kept
}

// antiEntropy sends again what was not acknowledged, and lets everybody know
// what this replica's state looks like.
func (r *Replica[S]) antiEntropy(self *actor.Self) {
	nodes := r.others()
	r.ship.keep(nodes)
	r.compact()
	maps.DeleteFunc(r.holds, func(node string, _ holding) bool { return !slices.Contains(nodes, node) })
	r.ship.rewind()
	r.flush(self)
	sum := Sum{Node: r.node.Name, ID: string(r.id), Sum: r.checksum()}
	for _, node := range nodes {
		r.send(self, node, sum)
	}
	kept := r.writes[:0]
	for _, w := range r.writes {
		if w.from.Waiting() {
			kept = append(kept, w)
		}
	}
	clear(r.writes[len(kept):])
	r.writes = kept
}

// compact lets go of what the state keeps on behalf of this replica.
func (r *Replica[S]) compact() {
	c, ok := any(r.state).(crdt.Compactor[S])
	if !ok {
		return
	}
	delta := c.Compact(r.id)
	if z, ok := any(delta).(interface{ IsZero() bool }); ok && z.IsZero() {
		return
	}
	r.ship.add(delta)
	r.sumKnown = false
}

// compare answers a Sum that differs from this replica's with its state.
func (r *Replica[S]) compare(self *actor.Self, m Sum) {
	if m.Sum == r.checksum() {
		r.heard(m.Node)
		if m.Ask {
			r.send(self, m.Node, Sum{Node: r.node.Name, ID: string(r.id), Sum: m.Sum})
		}
		return
	}
	data, err := r.state.MarshalBinary()
	if err != nil {
		self.Logger().Error("state cannot be encoded", "replica", r.cfg.Name, "error", err)
		return
	}
	r.send(self, m.Node, Delta{Node: r.node.Name, ID: string(r.id), Full: true, Data: data})
	if m.Ask {
		// The asker may have what this replica lacks.
		r.send(self, m.Node, Sum{Node: r.node.Name, ID: string(r.id), Sum: r.checksum()})
	}
}

// checksum is a hash of the state: equal states have equal checksums.
func (r *Replica[S]) checksum() uint64 {
	if !r.sumKnown {
		h := fnv.New64a()
		if data, err := r.state.MarshalBinary(); err == nil {
			h.Write(data)
		}
		r.sum, r.sumKnown = h.Sum64(), true
	}
	return r.sum
}
