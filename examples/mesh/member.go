package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/supervisor"
)

// services are the three, with how callers choose among their instances, and how
// much of an even share each instance must have then. PowerOfTwo gives an
// instance that was late just once less for a while, as it should.
var services = []struct {
	name      string
	balancing mesh.Balancing
	share     float64
}{
	{"orders", mesh.RoundRobin, 0.8},
	{"stock", mesh.PowerOfTwo, 0},
	{"prices", mesh.LeastConnections, 0.5},
}

// command is what a member is told.
type command struct{ Do string } // "break" or "heal"

var errDisk = errors.New("the disk is gone")

// instance is one service in one process.
type instance struct {
	node   string
	broken *atomic.Bool
}

func (i *instance) Receive(self *actor.Self, msg any) error {
	if i.broken.Load() {
		return self.ReplyError(mesh.Failed(errDisk))
	}
	return self.Reply(i.node)
}

// serve is a member, from its start until it is to leave. It tells when its services
// are there, which is all it has to say.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(bool)) error {
	var director string
	if err := setup.Decode(&director); err != nil {
		return err
	}
	p, err := startPlace(ctx, setup.Name, []string{director}, nil)
	if p != nil {
		defer p.close(context.WithoutCancel(ctx))
	}
	if err != nil {
		return err
	}
	broken := new(atomic.Bool)
	if err := p.offer(ctx, broken); err != nil {
		return err
	}
	tell(true)
	for c := range commands {
		broken.Store(c.Do == "break")
	}
	return nil
}

// offer starts an instance of each service and registers it.
func (p *place) offer(ctx context.Context, broken *atomic.Bool) error {
	var children []supervisor.ChildSpec
	for _, s := range services {
		children = append(children, supervisor.ChildSpec{ID: s.name, Start: actor.Start(func() actor.Actor {
			return &instance{p.node.Name(), broken}
		}, actor.Name(s.name))})
	}
	if _, err := p.node.Supervise(ctx, supervisor.Spec{Children: children}); err != nil {
		return err
	}
	for _, s := range services {
		pid, _ := p.node.Whereis(actor.Name(s.name))
		_, err := p.mesh.Register(ctx, mesh.Definition{
			Name: s.name, Version: "1.0.0", Endpoints: []string{"Ask"}, Balancing: s.balancing,
			Health: mesh.Health{
				// Slower than the breakers, so that those can be seen at work.
				Check: mesh.CallCheck(Ask{}), Interval: 500 * time.Millisecond, Timeout: time.Second, Rise: 2, Fall: 4,
			},
			Breaker: mesh.Breaker{FailureThreshold: 5, ResetTimeout: 700 * time.Millisecond, HalfOpenSuccesses: 2},
		}, pid)
		if err != nil {
			return err
		}
	}
	return nil
}
