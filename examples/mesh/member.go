package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
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

// options are what a member is started with.
type options struct {
	Name string
	Join []string
}

// event is what a member tells the director, command what it is told.
type event struct{ Kind, Error string }

type command struct{ Do string } // "break", "heal" or "stop"

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

// serveMember runs a member on standard input and output.
func serveMember(ctx context.Context, config string, in io.Reader, out io.Writer) error {
	tell := json.NewEncoder(out)
	var o options
	if err := json.Unmarshal([]byte(config), &o); err != nil {
		return err
	}
	p, err := startPlace(ctx, o.Name, o.Join, nil)
	if p != nil {
		defer p.close(context.WithoutCancel(ctx))
	}
	broken := new(atomic.Bool)
	if err == nil {
		err = p.offer(ctx, broken)
	}
	if err != nil {
		_ = tell.Encode(event{Kind: "failed", Error: err.Error()})
		return err
	}
	if err := tell.Encode(event{Kind: "ready"}); err != nil {
		return err
	}
	for commands := json.NewDecoder(in); ; {
		var c command
		if commands.Decode(&c) != nil || c.Do == "stop" {
			return nil // told so, or the director is gone
		}
		broken.Store(c.Do == "break")
	}
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
