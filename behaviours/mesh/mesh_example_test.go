package mesh_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/registry/groups"
)

type getOrders struct{ User int }

// startNode starts a node by itself; those of a cluster have a Cluster.
func startNode(ctx context.Context) (*actor.System, *groups.Groups, *mesh.Mesh) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	g, err := groups.Start(ctx, groups.Config{System: sys, Cluster: alone{sys.Node()}})
	if err != nil {
		panic(err)
	}
	m, err := mesh.Start(ctx, mesh.Config{System: sys, Groups: mesh.Groups(g), Observe: func(e mesh.Event) {
		if e.Kind == mesh.CircuitChanged {
			fmt.Println("circuit", e.State)
		}
	}})
	if err != nil {
		panic(err)
	}
	return sys, g, m
}

// orderServer answers getOrders, until it is broken.
func orderServer(name string, broken *bool) actor.Actor {
	return actor.Func(func(self *actor.Self, msg any) error {
		if *broken {
			return self.ReplyError(mesh.Failed(errors.New("no database")))
		}
		return self.Reply(fmt.Sprintf("%s: orders of user %d", name, msg.(getOrders).User))
	})
}

func Example() {
	ctx := context.Background()
	sys, g, m := startNode(ctx)
	defer sys.Close(ctx)
	defer g.Close()
	defer m.Close(ctx)

	broken := make([]bool, 2)
	for i, version := range []string{"1.2.0", "1.3.0"} {
		pid, err := sys.Spawn(ctx, orderServer(version, &broken[i]))
		if err != nil {
			panic(err)
		}
		var registration *mesh.Registration
		registration, err = m.Register(ctx, mesh.Definition{
			Name: "orders", Version: version, Endpoints: []string{"getOrders"}, Balancing: mesh.RoundRobin,
			Breaker: mesh.Breaker{FailureThreshold: 2, ResetTimeout: time.Hour},
			Outlier: mesh.Outlier{Failures: 0.5},
			Health:  mesh.Health{Check: mesh.FuncCheck(func(context.Context) error { return nil })},
		}, pid)
		if err != nil {
			panic(err)
		}
		defer registration.Close(ctx)
	}

	orders, err := m.Service("orders", "^1.2")
	if err != nil {
		panic(err)
	}
	call := func(opts ...mesh.Option) {
		fmt.Println(mesh.Call[string](ctx, orders, sys, getOrders{7}, opts...))
	}
	call()
	call()
	broken[0] = true
	for range 4 { // two failures of 1.2.0, tried again elsewhere
		call()
	}
	broken[1] = true
	call(mesh.Fallback(func(_ context.Context, req any, err error) (any, error) {
		return "none known", nil
	}))
	// Output:
	// 1.2.0: orders of user 7 <nil>
	// 1.3.0: orders of user 7 <nil>
	// 1.3.0: orders of user 7 <nil>
	// circuit open
	// 1.3.0: orders of user 7 <nil>
	// 1.3.0: orders of user 7 <nil>
	// 1.3.0: orders of user 7 <nil>
	// circuit open
	// none known <nil>
}
