package crdtactor

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// ErrNoCopies is returned by Update for Copies of less than one.
var ErrNoCopies = errors.New("crdtactor: fewer than one copy asked for")

// UpdateOption changes one [Update].
type UpdateOption struct{ copies int }

// Copies lets an Update return only when n replicas hold the change, this one
// included: it then survives the loss of any n-1 of their nodes.
func Copies(n int) UpdateOption { return UpdateOption{copies: n} }

// update asks a replica to apply f. It never leaves the node.
type update[S crdt.State[S]] struct {
	f      func(state S, me crdt.ReplicaID) S
	copies int
}

// get asks a replica for a copy of its state.
type get struct{}

// pendingWrite is an Update that waits for copies.
type pendingWrite struct {
	from    actor.From
	seq     uint64
	copies  int
	holders map[string]bool // the other nodes known to hold it
}

// done answers w if enough nodes hold it.
func (w *pendingWrite) done() bool {
	if 1+len(w.holders) < w.copies {
		return false
	}
	w.from.Reply(true)
	return true
}

// pendingRead is a Get of a Lazy replica that waits for the other nodes.
type pendingRead struct {
	from    actor.From
	waiting map[string]bool // the nodes not heard from
}

// Get returns a copy of the state that the replica at to holds, which the
// caller owns. It is what this node knows: concurrent updates elsewhere may
// not have arrived. The replica must be on this node.
func Get[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address) (S, error) {
	return actor.Call[S](ctx, from, to, get{})
}

// Update changes the state that the replica at to holds. f runs in the replica:
// it must change state by one of its mutators with me as the replica, must
// not keep it, and returns the delta (a nil-free S; several deltas joined). It
// must not wait for anything.
//
// Update returns nil when the change is in this node's replica, or with
// [Copies] in that many. An error says that this is not known: the change may
// or may not be there, and may still spread. The replica must be on this node.
func Update[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, f func(state S, me crdt.ReplicaID) S, opts ...UpdateOption) error {
	u := update[S]{f: f, copies: 1}
	for _, o := range opts {
		u.copies = o.copies
	}
	if u.copies < 1 {
		return ErrNoCopies
	}
	_, err := actor.Call[bool](ctx, from, to, u)
	return err
}

func (r *Replica[S]) update(self *actor.Self, u update[S]) {
	seq := r.ship.add(u.f(r.state, r.id))
	r.sumKnown = false
	if u.copies == 1 {
		_ = self.Reply(true)
	} else {
		w := &pendingWrite{from: self.From(), seq: seq, copies: u.copies, holders: make(map[string]bool)}
		r.writes = append(r.writes, w)
	}
	if u.copies > 1 || r.cfg.Strategy.kind == eager {
		r.flush(self)
	}
}

func (r *Replica[S]) get(self *actor.Self) {
	nodes := r.others()
	if r.cfg.Strategy.kind != lazy || len(nodes) == 0 {
		_ = self.Reply(r.state.Clone())
		return
	}
	read := &pendingRead{from: self.From(), waiting: make(map[string]bool)}
	r.reads = append(r.reads, read)
	r.flush(self)
	ask := Sum{Node: r.node.Name, ID: string(r.id), Sum: r.checksum(), Ask: true}
	for _, node := range nodes {
		read.waiting[node] = true
		r.send(self, node, ask)
	}
	self.SendAfter(r.cfg.SyncWait, readTimeout{read})
}

// heard notes that node has told its state, for the reads that wait for it.
func (r *Replica[S]) heard(node string) {
	for _, read := range append([]*pendingRead(nil), r.reads...) {
		delete(read.waiting, node)
		if len(read.waiting) == 0 {
			r.answerRead(read)
		}
	}
}

func (r *Replica[S]) answerRead(read *pendingRead) {
	for i, other := range r.reads {
		if other == read {
			r.reads = append(r.reads[:i:i], r.reads[i+1:]...)
			read.from.Reply(r.state.Clone())
			return
		}
	}
}
