package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/supervisor"
)

// errFull is the answer to a checkout that does not want to wait.
var errFull = errors.New("pool: all connections are in use")

// config says what a pool is: poolboy's size, max_overflow and worker_module.
type config struct {
	name     actor.Name
	size     int // connections that are always there
	overflow int // how many more there may be at a time
	worker   actor.StartFunc
}

// workersName is the local name of the supervisor of a pool's connections.
func (c config) workersName() actor.Name { return c.name + ".workers" }

// spec is the pool's supervision tree: the connections' supervisor first, and
// the pool after it, because a pool without it is worth nothing.
func (c config) spec() supervisor.Spec {
	workers := supervisor.Spec{
		Strategy: supervisor.SimpleOneForOne,
		Children: []supervisor.ChildSpec{{ID: "connection", Start: c.worker, Restart: supervisor.Temporary}},
	}
	return supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			supervisor.Child("workers", workers, c.workersName()),
			{ID: "pool", Start: server.Start(func() server.Server { return newPool(c) }, c.name)},
		},
	}
}

// Requests and messages to a pool.
type (
	checkout struct {
		client actor.PID // who is watched while it has a connection
		wait   bool
	}
	checkin struct{ worker actor.PID }
	ask     struct{} // answered with a status
	status  struct{ Idle, Busy, Waiting int }
)

// pool is the server that hands connections out. It watches those who have one
// and the connections themselves.
type pool struct {
	config
	idle    []actor.PID
	leases  map[actor.PID]lease
	workers map[actor.MonitorRef]actor.PID
	clients map[actor.MonitorRef]actor.PID // client's monitor -> connection
	waiting []waiter
}

type lease struct{ client actor.MonitorRef }

type waiter struct {
	from   actor.From
	client actor.PID
}

func newPool(c config) *pool {
	return &pool{
		config:  c,
		leases:  make(map[actor.PID]lease),
		workers: make(map[actor.MonitorRef]actor.PID),
		clients: make(map[actor.MonitorRef]actor.PID),
	}
}

// Init starts the connections that are always there.
func (p *pool) Init(self *actor.Self) (server.Next, error) {
	for range p.size {
		worker, err := p.open(self)
		if err != nil {
			return server.Next{}, err
		}
		p.idle = append(p.idle, worker)
	}
	return server.Next{}, nil
}

func (p *pool) open(self *actor.Self) (actor.PID, error) {
	worker, err := supervisor.StartInstance(self.Context(), self, p.workersName())
	if err != nil {
		return actor.PID{}, fmt.Errorf("pool: open a connection: %w", err)
	}
	p.workers[self.Monitor(worker)] = worker
	return worker, nil
}

func (p *pool) HandleCall(self *actor.Self, req any) (server.Next, error) {
	switch m := req.(type) {
	case checkout:
		w := waiter{self.From(), m.client}
		switch worker, ok := p.free(self); {
		case ok:
			p.give(self, worker, w)
		case m.wait:
			p.waiting = append(p.waiting, w)
		default:
			w.from.ReplyError(errFull)
		}
		return server.Next{}, nil
	case ask:
		waiting := 0
		for _, w := range p.waiting {
			if w.from.Waiting() {
				waiting++
			}
		}
		return server.Next{}, self.Reply(status{len(p.idle), len(p.leases), waiting})
	}
	return server.Next{}, self.ReplyError(fmt.Errorf("pool: no request %T", req))
}

// free returns a connection that nobody has: an idle one, or one more.
func (p *pool) free(self *actor.Self) (actor.PID, bool) {
	if n := len(p.idle); n > 0 {
		worker := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return worker, true
	}
	if len(p.leases) >= p.size+p.overflow {
		return actor.PID{}, false
	}
	worker, err := p.open(self)
	if err != nil {
		self.Logger().Warn("no connection beyond the pool's size", "reason", err)
		return actor.PID{}, false
	}
	return worker, true
}

// give lends worker to w, unless w has given up meanwhile.
func (p *pool) give(self *actor.Self, worker actor.PID, w waiter) {
	ref := self.Monitor(w.client)
	if !w.from.Reply(worker) {
		self.DemonitorFlush(ref)
		p.release(self, worker)
		return
	}
	p.leases[worker] = lease{ref}
	p.clients[ref] = worker
}

// release finds a use for a connection that has come back: the one who has
// waited longest, the idle ones, or none, if it was one too many.
func (p *pool) release(self *actor.Self, worker actor.PID) {
	for len(p.waiting) > 0 {
		first := p.waiting[0]
		p.waiting = p.waiting[1:]
		if first.from.Waiting() {
			p.give(self, worker, first)
			return
		}
	}
	if len(p.idle)+len(p.leases) >= p.size {
		_ = self.Exit(worker, actor.ErrShutdown) // its Down does the rest
		return
	}
	p.idle = append(p.idle, worker)
}

func (p *pool) HandleCast(self *actor.Self, msg any) (server.Next, error) {
	if m, ok := msg.(checkin); ok {
		if l, lent := p.leases[m.worker]; lent {
			self.DemonitorFlush(l.client)
			delete(p.clients, l.client)
			delete(p.leases, m.worker)
			p.release(self, m.worker)
		}
	}
	return server.Next{}, nil
}

// HandleInfo hears of the ends of clients and of connections. A client that
// ends with a connection may have left it in the middle of something: it is
// closed, and replaced.
func (p *pool) HandleInfo(self *actor.Self, msg any) (server.Next, error) {
	down, ok := msg.(actor.Down)
	if !ok {
		return server.Next{}, nil
	}
	if worker, ok := p.clients[down.Ref]; ok {
		delete(p.clients, down.Ref)
		return server.Next{}, self.Exit(worker, fmt.Errorf("its client ended: %w", actor.ErrShutdown))
	}
	worker, ok := p.workers[down.Ref]
	if !ok {
		return server.Next{}, nil
	}
	delete(p.workers, down.Ref)
	if l, lent := p.leases[worker]; lent {
		self.DemonitorFlush(l.client)
		delete(p.clients, l.client)
		delete(p.leases, worker)
	}
	for i, other := range p.idle {
		if other == worker {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			break
		}
	}
	return server.Next{}, p.refill(self)
}

// refill replaces a connection that is gone. A pool that cannot crashes: its
// supervisor knows how often that may be.
func (p *pool) refill(self *actor.Self) error {
	if len(p.idle)+len(p.leases) >= p.size && !(len(p.waiting) > 0 && len(p.leases) < p.size+p.overflow) {
		return nil
	}
	worker, err := p.open(self)
	if err != nil {
		return err
	}
	p.release(self, worker)
	return nil
}

// with lends the process self a connection of the pool at to for the time of f.
func with(ctx context.Context, self *actor.Self, to actor.Address, f func(connection actor.PID) error) error {
	worker, err := actor.Call[actor.PID](ctx, self, to, checkout{client: self.PID(), wait: true})
	if err != nil {
		return err
	}
	// A panic in f ends this process, of which the pool hears.
	err = f(worker)
	return errors.Join(err, self.Send(to, checkin{worker}))
}
