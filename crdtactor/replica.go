package crdtactor

import (
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// ErrOutdated is the exit reason of a replica of which others know a later one
// of the same node, because the node's clock went back between two starts, or
// because the node runs twice; and of one whose node others have forgotten with
// [Forget]. They take nothing in from it. If it is started again, it is a new
// replica, and gets from the others what they have.
var ErrOutdated = errors.New("crdtactor: this replica is outdated: a later one of its node is known, or the node was forgotten")

// Replica is the actor that holds one node's copy of a state. Use [Get],
// [Update] and [Watch] to reach it.
type Replica[S crdt.State[S]] struct {
	cfg      Config[S]
	node     string
	core     *replica.Core[S]
	flushing bool // a flushNow is in the mailbox
	working  bool // a workNow is in the mailbox
	ticket   uint64
	writes   map[uint64]actor.From
	reads    []*pendingRead
	watches  watches
	pages    pages  // of the disk
	parts    []page // of a batch of which there are more
	err      error  // of the Config
}

// New returns the actor of a replica. A mistake in cfg is the error of its
// spawn.
func New[S crdt.State[S]](cfg Config[S]) *Replica[S] {
	return &Replica[S]{cfg: cfg.orDefaults(), err: cfg.valid()}
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
	flushNow        struct{}
	workNow         struct{}
	readTimeout     struct{ read *pendingRead }
	saved           struct {
		batch uint64
		err   error
	}
)

// Init implements actor.Initializer.
func (r *Replica[S]) Init(self *actor.Self) error {
	if r.err != nil {
		return r.err
	}
	r.node = self.System().Node().Name
	r.writes = make(map[uint64]actor.From)
	if err := r.begin(); err != nil {
		return fmt.Errorf("crdtactor: %s: %w", r.cfg.Name, err)
	}
	self.Every(r.cfg.AntiEntropy, antiEntropyTick{})
	if r.cfg.Strategy.kind == periodic {
		self.Every(r.cfg.Strategy.period, flushTick{})
	}
	r.look()
	r.core.Greet()
	return r.act(self)
}

// begin makes the core, with what the disk has.
func (r *Replica[S]) begin() error {
	start := freshStart()
	var kept contents
	if r.cfg.Disk != nil {
		var err error
		if kept, err = r.cfg.Disk.load(string(r.cfg.Name), start); err != nil {
			return err
		}
		start = kept.start
	}
	r.core = replica.New(replica.Config[S]{
		Node: r.node, ID: crdt.Incarnation(r.node, start), New: r.cfg.New, Backlog: r.cfg.Backlog,
		Forward: r.cfg.Peers != nil, Durable: r.cfg.Disk != nil,
	})
	for _, item := range kept.items {
		if err := r.core.Restore(item.Key, item.Data); err != nil {
			return fmt.Errorf("%q on disk: %w", item.Key, err)
		}
	}
	r.core.Enroll(kept.roster)
	r.pages = kept.pages
	return nil
}

// freshStart returns the time in nanoseconds once it is later than anything
// that has been called the time before: what distinguishes this replica from
// the last one of its node.
func freshStart() uint64 {
	began := time.Now().UnixNano()
	for time.Now().UnixNano() <= began {
		<-time.After(time.Nanosecond)
	}
	return uint64(time.Now().UnixNano())
}

// Receive implements actor.Actor.
func (r *Replica[S]) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case plain[S]:
		r.update(self, update[S]{f: m, copies: 1})
	case update[S]:
		r.update(self, m)
	case glance[S]:
		r.show(self, look[S]{f: m})
	case look[S]:
		r.show(self, m)
	case get:
		r.get(self, m)
	case flushNow:
		r.flushing = false
		r.core.Flush()
	case workNow:
		r.working = false
		r.core.Work()
	case flushTick:
		r.core.Flush()
	case antiEntropyTick:
		r.tick()
	case saved:
		if m.err != nil {
			return fmt.Errorf("crdtactor: %s cannot be saved: %w", r.cfg.Name, m.err)
		}
		r.core.Saved(m.batch)
	case readTimeout:
		r.answerRead(m.read)
	case watch[S]:
		return r.watch(self, m)
	case notify:
		return r.notify(self, m)
	case unwatch, seen, actor.Down:
		r.watches.receive(self, r.cfg.Name, m)
		r.core.Watch(r.watches.any())
	case snapshot:
		return self.Reply(r.state(m.key).Clone())
	case keys:
		return self.Reply(r.core.Keys())
	case forget:
		return self.Reply(r.core.Forget(m.node))
	default:
		r.step(msg)
	}
	return r.act(self)
}

// step takes in a message of another replica.
func (r *Replica[S]) step(msg any) {
	if root, ok := msg.(replica.Root); ok && root.Ask {
		r.look() // it may be new
	}
	r.core.Step(msg)
	if r.cfg.Peers != nil && r.cfg.Strategy.kind == eager {
		r.core.Flush() // what came is to be passed on
	}
}

// tick does what is to be done from time to time.
func (r *Replica[S]) tick() {
	r.flushing, r.working = false, false // a mailbox that is bounded may have dropped what they say is there
	r.look()
	r.core.Tick()
	for ticket, from := range r.writes {
		if !from.Waiting() {
			r.core.Drop(ticket)
			delete(r.writes, ticket)
		}
	}
}

// look tells the core who else is there.
func (r *Replica[S]) look() {
	members := r.others(r.cfg.Members)
	if r.cfg.Peers == nil {
		r.core.See(members, append([]string(nil), members...))
		return
	}
	r.core.See(members, r.others(r.cfg.Peers))
}

// others are the names of nodes without this one.
func (r *Replica[S]) others(nodes func() []actor.NodeID) []string {
	var names []string
	for _, n := range nodes() {
		if n.Name != r.node {
			names = append(names, n.Name)
		}
	}
	return names
}

// act carries out what the core wants done.
func (r *Replica[S]) act(self *actor.Self) error {
	if r.cfg.Disk != nil {
		r.save(self)
	}
	if r.core.Busy() && !r.working {
		r.working = true
		if self.Send(self.PID(), workNow{}) != nil { // the mailbox is full, but for timers
			self.SendAfter(0, workNow{})
		}
	}
	if r.core.Idle() {
		return nil
	}
	out := r.core.Take()
	for _, e := range out.Out {
		// If it is not there yet, or its node is lost, time mends that.
		err := self.Send(actor.NameAt{Name: r.cfg.Name, Node: e.To}, e.Msg)
		if err != nil && !errors.Is(err, actor.ErrNoConnection) && !errors.Is(err, actor.ErrNoProc) {
			self.Logger().Warn("state cannot be sent", "replica", r.cfg.Name, "to", e.To, "error", err)
		}
	}
	for _, ticket := range out.Done {
		r.writes[ticket].Reply(true)
		delete(r.writes, ticket)
	}
	for _, node := range out.Fresh {
		r.heard(node)
	}
	r.watches.changed(self, r.cfg.Name, out.Changed)
	if out.Outdated != "" {
		return fmt.Errorf("%w: %s, %s", ErrOutdated, r.cfg.Name, out.Outdated)
	}
	if out.Malformed > 0 {
		self.Logger().Warn("malformed state from another node", "replica", r.cfg.Name, "count", out.Malformed)
	}
	return nil
}

// save lets the disk write what has changed, unless it is writing. Of what comes in
// parts, it takes one each time that there was something else to do.
func (r *Replica[S]) save(self *actor.Self) {
	if r.parts != nil && r.working {
		return
	}
	b, ok := r.core.Batch()
	if !ok {
		return
	}
	r.parts = append(r.parts, r.pages.turn(b.Items, r.core.Snapshot)...)
	if !b.Last {
		return
	}
	system, pid := self.System(), self.PID()
	r.cfg.Disk.commit(job{
		name: string(r.cfg.Name), roster: b.Roster, items: r.parts,
		done: func(err error) { _ = system.Send(pid, saved{b.Number, err}) },
	})
	r.parts = nil
}
