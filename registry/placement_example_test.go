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

// loud is the Cluster of a node that is linked to nobody, and an Overlay that says
// what it is told to broadcast.
type loud struct {
	alone
	topics chan string
}

func (loud) Linked() bool                                       { return false }
func (loud) Neighbors() []actor.NodeID                          { return nil }
func (loud) HandleBroadcast(string, func(actor.NodeID, []byte)) {}

func (l loud) Broadcast(topic string, _ []byte) error {
	l.topics <- topic
	return nil
}

func ExampleOverlay() {
	ctx := context.Background()
	me := actor.NodeID{Name: "a@host:1"}
	names := registry.NewNames(registry.NamesConfig{Node: me})
	sys, err := actor.NewSystem(actor.Config{Node: me, Names: names})
	if err != nil {
		panic(err)
	}
	cluster := loud{alone{me}, make(chan string, 8)}
	var _ registry.Overlay = cluster
	names.Start(cluster, sys.Exit)
	defer names.Close()
	defer sys.Close(ctx)

	if _, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { return nil }), actor.ClusterName("clerk")); err != nil {
		panic(err)
	}
	fmt.Println("a change is broadcast to", <-cluster.topics)
	// Output: a change is broadcast to registry/names
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

// tally is a placed child that counts, and knows what it is told when it starts.
type tally struct {
	tenure registry.Tenure
	n      int
}

func (c *tally) Init(*actor.Self) error {
	c.n = len(c.tenure.State)
	return nil
}

func (c *tally) Receive(self *actor.Self, msg any) error {
	if msg == "more" {
		c.n++
		return nil
	}
	return self.Reply(c.n)
}

// tallies carry what has been counted from node to node. Two tallies that ran on
// the two sides of a partition are added up.
type tallies struct{}

func (tallies) Give(ctx context.Context, from actor.Caller, instance actor.PID) ([]byte, error) {
	n, err := actor.Call[int](ctx, from, instance, "how many?")
	return make([]byte, n), err
}

func (tallies) Merge(ctx context.Context, from actor.Caller, instance actor.PID, state []byte) error {
	for range state {
		if _, err := actor.Call[int](ctx, from, instance, "more"); err != nil {
			return err
		}
	}
	return nil
}

// drawer gives out the leases of a single node. Package strong has those of a
// cluster.
type drawer struct{ last registry.Token }

func (d *drawer) Acquire(context.Context, string) (registry.Token, error) {
	d.last.Index++
	return d.last, nil
}
func (d *drawer) Renew(context.Context, string, registry.Token) error   { return nil }
func (d *drawer) Release(context.Context, string, registry.Token) error { return nil }
func (d *drawer) TTL() time.Duration                                    { return 10 * time.Second }

func ExampleDeclare() {
	ctx := context.Background()
	me := actor.NodeID{Name: "a@host:1"}
	sys, err := actor.NewSystem(actor.Config{Node: me})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	started := make(chan registry.PlacementEvent, 1)
	placement := registry.PlacementConfig{
		Cluster: alone{me}, Settle: time.Millisecond, Leases: new(drawer),
		Attributes: func() registry.Attributes { return registry.Attributes{Labels: map[string]string{"disk": "fast"}} },
		Observe: func(e registry.PlacementEvent) {
			if e.Kind == registry.ChildStarted {
				started <- e
			}
		},
	}
	if _, err := supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "placement", Type: supervisor.Supervisor, Start: registry.StartPlacement(placement)},
	}}); err != nil {
		panic(err)
	}
	tenures := make(chan registry.Tenure, 1)
	if err := registry.Declare(ctx, sys, registry.Child{
		Spec: supervisor.ChildSpec{ID: "tally", Start: actor.StartWith(func(args ...any) actor.Actor {
			c := &tally{tenure: args[0].(registry.Tenure)}
			tenures <- c.tenure
			return c
		})},
		Strong:   true,
		Requires: map[string]string{"disk": "fast"},
		Handoff:  tallies{},
	}); err != nil {
		panic(err)
	}
	fmt.Println("token", (<-tenures).Token)
	fmt.Println((<-started).Child, "started")
	for {
		if _, err := registry.Locate(ctx, sys, "tally"); err == nil {
			break
		}
	}
	fmt.Println("drained:", registry.Drain(ctx, sys))
	// Output:
	// token 0.1
	// tally started
	// drained: <nil>
}
