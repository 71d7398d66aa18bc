package crdtactor

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
	"github.com/topos-go/topos/supervisor"
)

// Store is many replicated states of one type, by key, in a few processes on
// each node: what a [Replica] is for one. A key that was never changed anywhere
// has an empty state and costs nothing. The states are compared by one hash
// tree, so that a hundred thousand that do not change cause no more traffic
// than one.
//
// A Store is a handle: it may be used by several goroutines, and on every node
// one is made with the same Config. Its processes are started by Spawn, or by a
// supervisor as Children.
type Store[S crdt.State[S]] struct {
	cfg Config[S]
}

// NewStore returns the handle of a store. The error is all that is wrong with
// cfg.
func NewStore[S crdt.State[S]](cfg Config[S]) (*Store[S], error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	return &Store[S]{cfg.orDefaults()}, nil
}

// Children returns the store's processes, to be started by a supervisor of this
// node.
func (s *Store[S]) Children() []supervisor.ChildSpec {
	specs := make([]supervisor.ChildSpec, s.cfg.Shards)
	for i := range specs {
		cfg := s.shard(i)
		specs[i] = supervisor.ChildSpec{ID: string(cfg.Name), Start: Start(cfg)}
	}
	return specs
}

// Spawn starts the store's processes on system without a supervisor. If one
// cannot be started, the others are ended.
func (s *Store[S]) Spawn(ctx context.Context, system *actor.System) error {
	var pids []actor.PID
	for i := range s.cfg.Shards {
		cfg := s.shard(i)
		pid, err := system.Spawn(ctx, New(cfg), cfg.Name)
		if err != nil {
			for _, pid := range pids {
				_ = system.Exit(pid, actor.ErrShutdown)
			}
			return err
		}
		pids = append(pids, pid)
	}
	return nil
}

// shard returns the Config of one process.
func (s *Store[S]) shard(i int) Config[S] {
	cfg := s.cfg
	if cfg.Shards > 1 {
		cfg.Name = actor.Name(fmt.Sprintf("%s.%d", cfg.Name, i))
	}
	return cfg
}

// of returns the process that has key.
func (s *Store[S]) of(key string) actor.Name {
	if s.cfg.Shards == 1 {
		return s.cfg.Name
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it has no errors
	return s.shard(int(h.Sum64() % uint64(s.cfg.Shards))).Name
}

// Get is [Get] of the state under key, empty if there is none.
func (s *Store[S]) Get(ctx context.Context, from actor.Caller, key string) (S, error) {
	return actor.Call[S](ctx, from, s.of(key), get{key})
}

// View is [View] of the state under key.
func (s *Store[S]) View(ctx context.Context, from actor.Caller, key string, f func(state S)) error {
	_, err := actor.Call[bool](ctx, from, s.of(key), look[S]{key, f})
	return err
}

// ErrKeyTooLong is returned by Update for a key of more than 4096 bytes.
var ErrKeyTooLong = errors.New("crdtactor: key too long")

// Update is [Update] of the state under key.
func (s *Store[S]) Update(ctx context.Context, from actor.Caller, key string, f func(state S, me crdt.ReplicaID) S, opts ...UpdateOption) error {
	if len(key) > replica.MaxKey {
		return ErrKeyTooLong
	}
	return change(ctx, from, s.of(key), key, f, opts)
}

// Watch is [Watch] of the state under key.
func (s *Store[S]) Watch(ctx context.Context, from actor.Caller, key string, f func(state S)) (stop func(), err error) {
	return observe(ctx, from, s.of(key), watch[S]{keys: []string{key}, f: func(_ string, state S) { f(state) }})
}

// Notify is [Notify] of the state under key.
func (s *Store[S]) Notify(ctx context.Context, from actor.Caller, key string, pid actor.PID) (stop func(), err error) {
	w, err := actor.Call[watching](ctx, from, s.of(key), notify{pid: pid, keys: []string{key}})
	return w.stop, err
}

// Keys returns the keys that have a state on this node, sorted.
func (s *Store[S]) Keys(ctx context.Context, from actor.Caller) ([]string, error) {
	var all []string
	for i := range s.cfg.Shards {
		some, err := actor.Call[[]string](ctx, from, s.shard(i).Name, keys{})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.Sort(all)
	return all, nil
}

// Forget is [Forget] for all states of the store.
func (s *Store[S]) Forget(ctx context.Context, from actor.Caller, node string) error {
	for i := range s.cfg.Shards {
		if err := Forget(ctx, from, s.shard(i).Name, node); err != nil {
			return err
		}
	}
	return nil
}
