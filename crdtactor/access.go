package crdtactor

import (
	"context"
	"errors"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

var (
	// ErrNoCopies is returned by Update for Copies of less than one.
	ErrNoCopies = errors.New("crdtactor: fewer than one copy asked for")
	// ErrNotForgotten is returned by Forget for a node that is a member, or that
	// nobody knows.
	ErrNotForgotten = errors.New("crdtactor: the node is a member, or not known")
)

// UpdateOption changes one [Update].
type UpdateOption struct{ copies int }

// Copies lets an Update return only when n replicas hold the change, this one
// included: it then survives the loss of any n-1 of their nodes. A replica with
// a Disk holds a change once it is on disk, and then survives a crash too.
func Copies(n int) UpdateOption { return UpdateOption{copies: n} }

// Requests to a replica, which never leave the node.
type (
	update[S crdt.State[S]] struct {
		key    string
		f      func(state S, me crdt.ReplicaID) S
		copies int
	}
	// plain is the usual update: of the state without a key, with one copy. It
	// is a function alone because that can be sent without allocating.
	plain[S crdt.State[S]] func(state S, me crdt.ReplicaID) S
	glance[S any]          func(S)
	look[S any]            struct {
		key string
		f   func(S)
	}
	get    struct{ key string }
	keys   struct{}
	forget struct{ node string }
)

func (plain[S]) changes()  {}
func (update[S]) changes() {}

// IsUpdate reports whether msg, as an actor in front of a replica receives it, asks
// for an [Update], of whatever state. What else comes is a read, or keeps replicas
// alike, and has to reach the replica whatever becomes of updates: a [Forget] too,
// which changes no state.
func IsUpdate(msg any) bool {
	_, ok := msg.(interface{ changes() })
	return ok
}

// pendingRead is a Get of a Lazy replica that waits for the other nodes.
type pendingRead struct {
	from    actor.From
	key     string
	waiting map[string]bool // the nodes not heard from
}

// Get returns a copy of the state that the replica at to holds, which the
// caller owns. It is what this node knows: concurrent updates elsewhere may
// not have arrived. The replica must be on this node.
func Get[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address) (S, error) {
	return actor.Call[S](ctx, from, to, get{})
}

// View calls f with the state that the replica at to holds, without copying it.
// f runs in the replica: it must only read, keep nothing of it and not wait. A
// Lazy replica does not ask the other nodes first, as it does for [Get].
func View[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, f func(state S)) error {
	_, err := actor.Call[bool](ctx, from, to, glance[S](f))
	return err
}

// Update changes the state that the replica at to holds. f runs in the replica:
// it must change state by one of its mutators with me as the replica, and
// returns the delta, several of them joined into one. It must keep neither: the
// delta is the replica's, which may make the next one of it. It must not wait for
// anything. For a counter, changed by its Accumulate, it may return
// nil: then the delta is made only if there is somebody to send it to.
//
// Update returns nil when the change is in this node's replica, and on its disk
// if it has one, or with [Copies] in that many. An error says that this is not
// known: the change may or may not be there, and may still spread. The replica
// must be on this node.
func Update[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, f func(state S, me crdt.ReplicaID) S, opts ...UpdateOption) error {
	return change(ctx, from, to, "", f, opts)
}

func change[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, key string, f func(S, crdt.ReplicaID) S, opts []UpdateOption) error {
	u := update[S]{key: key, f: f, copies: 1}
	for _, o := range opts {
		u.copies = o.copies
	}
	if u.copies < 1 {
		return ErrNoCopies
	}
	if key == "" && u.copies == 1 {
		_, err := actor.Call[bool](ctx, from, to, plain[S](f))
		return err
	}
	_, err := actor.Call[bool](ctx, from, to, u)
	return err
}

// Forget says that a node will never return: what only it holds is lost, and
// what the replicas that restarted have left need not wait for it. Once all
// other nodes have been heard out, those out of reach too, what the node has
// counted is put into one entry for all such nodes, in counters; types that can
// remove keep its replicas' ids, and nothing of what was removed. If the node does return, its replica ends with
// ErrOutdated, and the next one counts anew.
//
// It spreads to all replicas of the state, and is forgotten itself if the only
// ones that have heard of it restart without a disk: then it must be said again.
// Two sides of a partition must not forget each other. Then all replicas are
// lost: they end, without disks nothing is left, and with disks counts are
// missing, even such as both sides had, though none is there twice. The error is
// ErrNotForgotten, or the call's.
func Forget(ctx context.Context, from actor.Caller, to actor.Address, node string) error {
	ok, err := actor.Call[bool](ctx, from, to, forget{node})
	if err == nil && !ok {
		return ErrNotForgotten
	}
	return err
}

func (r *Replica[S]) update(self *actor.Self, u update[S]) {
	changed := r.core.Update(u.key, u.f)
	if u.copies == 1 && r.cfg.Disk == nil {
		_ = self.Reply(true)
	} else {
		r.ticket++
		r.writes[r.ticket] = self.From()
		if u.copies > 1+len(r.core.Neighbors()) {
			r.look() // somebody may have come
		}
		r.core.Hold(r.ticket, u.key, changed, u.copies)
	}
	if u.copies > 1 || r.cfg.Strategy.kind == eager {
		r.flushSoon(self)
	}
}

// flushSoon flushes once what is in the mailbox now has been handled, so that
// changes that come close together travel together.
func (r *Replica[S]) flushSoon(self *actor.Self) {
	if !r.flushing && len(r.core.Neighbors()) > 0 {
		r.flushing = true
		_ = self.Send(self.PID(), flushNow{})
	}
}

// state returns the state under key, or an empty one.
func (r *Replica[S]) state(key string) S {
	if state, ok := r.core.State(key); ok {
		return state
	}
	return r.cfg.New()
}

func (r *Replica[S]) show(self *actor.Self, m look[S]) {
	m.f(r.state(m.key))
	_ = self.Reply(true)
}

func (r *Replica[S]) get(self *actor.Self, m get) {
	nodes := r.core.Neighbors()
	if r.cfg.Strategy.kind != lazy || len(nodes) == 0 {
		_ = self.Reply(r.state(m.key).Clone())
		return
	}
	read := &pendingRead{from: self.From(), key: m.key, waiting: make(map[string]bool)}
	r.reads = append(r.reads, read)
	for _, node := range nodes {
		read.waiting[node] = true
	}
	r.core.Flush()
	r.core.Greet()
	self.SendAfter(r.cfg.SyncWait, readTimeout{read})
}

// heard notes that node has told its state, for the reads that wait for it.
func (r *Replica[S]) heard(node string) {
	for _, read := range slices.Clone(r.reads) {
		delete(read.waiting, node)
		if len(read.waiting) == 0 {
			r.answerRead(read)
		}
	}
}

func (r *Replica[S]) answerRead(read *pendingRead) {
	if i := slices.Index(r.reads, read); i >= 0 {
		r.reads = slices.Delete(r.reads, i, i+1)
		read.from.Reply(r.state(read.key).Clone())
	}
}
