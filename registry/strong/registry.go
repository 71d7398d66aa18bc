package strong

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
)

// Registry is one node's part in the registry: a copy of the data and perhaps a
// vote, or only a way to those who have them. Make one with [New], Start it and
// Close it. It is safe for concurrent use.
type Registry struct {
	cfg     Config
	log     *slog.Logger
	self    actor.NodeID
	x       *exchange
	roster  *roster
	replica *replica // nil on a client
	client  *client

	mu      sync.Mutex
	state   state
	unwatch func()

	obsolete atomic.Bool // this node's data are of an epoch that has ended

	ctx     context.Context // ends with Close
	cancel  context.CancelCauseFunc
	serving context.Context // ends when obsolete, too
	fail    context.CancelCauseFunc
	work    sync.WaitGroup
	started chan struct{} // closed when Start has ended
	closed  chan struct{} // closed when Close has
}

// state of a Registry.
type state uint8

const (
	stateNew state = iota
	stateStarting
	stateRunning
	stateFailed // to start
	stateClosed
)

// New returns a registry that does nothing until it is started. The error joins
// everything that is wrong with cfg.
func New(cfg Config) (*Registry, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Registry{
		cfg: cfg, log: cfg.Logger, self: cfg.Cluster.Self(),
		x:       newExchange(cfg.Cluster),
		started: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	r.roster = newRoster(r.self)
	r.client = newClient(r)
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	r.serving, r.fail = context.WithCancelCause(r.ctx)
	return r, nil
}

// Start opens this node's data and joins the others; it returns before there is
// a leader. It should be called before the cluster's traffic starts, so that
// nothing is missed. The error is that of the data folder.
func (r *Registry) Start() error {
	r.mu.Lock()
	if r.state != stateNew {
		r.mu.Unlock()
		return fmt.Errorf("%w, or was started before", ErrClosed)
	}
	r.state = stateStarting
	r.mu.Unlock()
	defer close(r.started)
	if !r.cfg.Client {
		rep, err := newReplica(r)
		if err != nil {
			r.become(stateFailed)
			return err
		}
		r.replica = rep
		rep.start()
	}
	r.become(stateRunning)
	r.cfg.Cluster.HandleControl(topic, r.handle)
	r.unwatch = r.cfg.Cluster.Watch(r.watch)
	return nil
}

func (r *Registry) become(s state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
}

// Close hands this node's leadership over if it has it, and ends its part. When
// ctx ends first, the others have to find a leader themselves. Leases of this node are not released:
// they run out. Closing again waits for the same end.
func (r *Registry) Close(ctx context.Context) error {
	r.mu.Lock()
	was := r.state
	if was != stateStarting {
		r.state = stateClosed
	}
	r.mu.Unlock()
	switch was {
	case stateStarting:
		select {
		case <-r.started:
			return r.Close(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case stateClosed:
		select {
		case <-r.closed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer close(r.closed)
	var err error
	if was == stateRunning {
		<-r.started
		r.unwatch()
		if r.replica != nil {
			err = r.replica.close(ctx)
		}
	}
	r.cancel(ErrClosed)
	r.client.changed()
	r.x.close()
	r.work.Wait()
	return err
}

// running returns nil while requests make sense.
func (r *Registry) running() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.state != stateRunning:
		return ErrClosed
	case r.obsolete.Load():
		return ErrObsolete
	}
	return nil
}

// ended reports whether the epoch of this node's data has ended.
func (r *Registry) ended() bool { return r.obsolete.Load() }

// watch notes that a node came or went.
func (r *Registry) watch(node actor.NodeID, up bool) {
	if node == r.self {
		return
	}
	r.roster.saw(node, up)
	if !up {
		r.x.lost(node)
		if r.replica != nil {
			r.replica.transport.lost(node)
		}
	}
	r.client.changed()
	if r.replica != nil {
		r.replica.leader.nudge()
	}
}

// learn takes an epoch that a leader, or who was asked, says there is. If it is
// above that of this node's data, these are worth nothing any more.
func (r *Registry) learn(epoch uint64) {
	for {
		known := r.x.epoch.Load()
		if epoch <= known || r.x.epoch.CompareAndSwap(known, epoch) {
			break
		}
	}
	if r.replica == nil {
		return
	}
	own := r.replica.epoch.Load()
	if own == 0 || epoch <= own {
		return
	}
	if !r.obsolete.Swap(true) {
		r.fail(ErrObsolete)
		r.client.changed()
		r.log.Error("this node's registry data belong to an epoch that has ended: start it with an empty folder",
			"epoch", own, "current", epoch, "folder", r.cfg.Dir)
	}
}

// handle takes a payload of another node. It does not wait.
func (r *Registry) handle(from actor.NodeID, payload []byte) {
	f, err := decodeFrame(payload)
	if err != nil {
		r.log.Warn("malformed message about strong names", "from", from.Name)
		return
	}
	switch {
	case r.ctx.Err() != nil:
		if f.kind.asks() {
			r.refuse(from, f, ErrClosed) // so that nobody waits for it
		}
	case f.kind == kindAnswer || f.kind == kindRefusal:
		if r.x.received(from, f) {
			r.learn(f.epoch)
		}
	case f.kind == kindView:
		term, err := decodeTerm(f.body)
		if err != nil {
			break
		}
		r.learn(f.epoch)
		r.client.saw(from, f.epoch, term)
		if r.replica != nil {
			r.replica.report(from)
		}
	case f.kind == kindFreed:
		r.client.freed(string(f.body))
	case r.replica == nil:
		if f.kind.asks() {
			r.refuse(from, f, errNotLeader)
		}
	default:
		r.replica.handle(from, f)
	}
}

// errNotLeader is why a node does not do what only the leader can.
var errNotLeader = errors.New("strong: not the leader")

func (r *Registry) refuse(to actor.NodeID, f frame, err error) {
	_ = r.x.send(to, frame{kind: kindRefusal, id: f.id, body: []byte(err.Error())})
}
