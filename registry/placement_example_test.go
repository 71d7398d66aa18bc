package registry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/supervisor"
)

// alone is the Cluster of a node that has no others. The remote layer is the
// real one; package topos puts the two together.
type alone struct{ self actor.NodeID }

func (a alone) Self() actor.NodeID                                     { return a.self }
func (a alone) Members() []actor.NodeID                                { return []actor.NodeID{a.self} }
func (a alone) SendControl(actor.NodeID, string, []byte) error         { return actor.ErrNoConnection }
func (a alone) HandleControl(string, func(actor.NodeID, []byte))       {}
func (a alone) Watch(func(node actor.NodeID, up bool)) (cancel func()) { return func() {} }

func ExampleNewNames() {
	ctx := context.Background()
	me := actor.NodeID{Name: "a@host:1"}
	names := registry.NewNames(registry.NamesConfig{Node: me})
	sys, err := actor.NewSystem(actor.Config{Node: me, Names: names})
	if err != nil {
		panic(err)
	}
	names.Start(alone{me}, sys.Exit)
	defer names.Close()
	defer sys.Close(ctx)

	clerk := func() actor.Actor {
		return actor.Func(func(self *actor.Self, _ any) error { return self.Reply("at your service") })
	}
	if _, err := sys.Spawn(ctx, clerk(), actor.ClusterName("clerk")); err != nil {
		panic(err)
	}
	_, err = sys.Spawn(ctx, clerk(), actor.ClusterName("clerk"))
	fmt.Println(err != nil)
	fmt.Println(actor.Call[string](ctx, sys, actor.ClusterName("clerk"), "?"))
	// Output:
	// true
	// at your service <nil>
}

func ExampleStartPlacement() {
	ctx := context.Background()
	me := actor.NodeID{Name: "a@host:1"}
	names := registry.NewNames(registry.NamesConfig{Node: me})
	sys, err := actor.NewSystem(actor.Config{Node: me, Names: names})
	if err != nil {
		panic(err)
	}
	names.Start(alone{me}, sys.Exit)
	defer names.Close()
	defer sys.Close(ctx)

	placement := registry.PlacementConfig{Cluster: alone{me}, Settle: time.Millisecond}
	if _, err := supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "placement", Type: supervisor.Supervisor, Start: registry.StartPlacement(placement)},
	}}); err != nil {
		panic(err)
	}
	clerk := func() actor.Actor {
		return actor.Func(func(self *actor.Self, _ any) error { return self.Reply("at your service") })
	}
	// The same on every node; it runs on one of them.
	if err := registry.Place(ctx, sys, supervisor.ChildSpec{ID: "clerk", Start: actor.Start(clerk, actor.ClusterName("clerk"))}); err != nil {
		panic(err)
	}
	pid, err := names.Await(ctx, "clerk")
	fmt.Println(pid.Node().Name, err)
	// Output: a@host:1 <nil>
}
