package topos_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// Two nodes; a process on the one is called from the other by its name.
func ExampleStart() {
	ctx := context.Background()
	cfg := topos.Config{Name: "a", Secret: "s", Types: topos.Types(add{}, get{}), Logger: slog.New(slog.DiscardHandler)}
	a, err := topos.Start(ctx, cfg)
	if err != nil {
		panic(err)
	}
	defer a.Close(ctx)
	cfg.Name, cfg.Join = "b", []string{a.Addr()}
	b, err := topos.Start(ctx, cfg)
	if err != nil {
		panic(err)
	}
	defer b.Close(ctx)

	if _, err := a.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "counter", Start: actor.Start(startCounter, actor.ClusterName("counter"))},
	}}); err != nil {
		panic(err)
	}
	counter, err := b.Await(ctx, "counter")
	if err != nil {
		panic(err)
	}
	b.Send(counter, add{2})
	fmt.Println(actor.Call[int](ctx, b, counter, get{}))
	// Output: 2 <nil>
}

// A child that is placed runs once in the cluster, on whichever node is its own.
func ExampleNode_Place() {
	ctx := context.Background()
	var nodes []*topos.Node
	var join []string
	for _, name := range []string{"a", "b", "c"} {
		node, err := topos.Start(ctx, topos.Config{
			Name: name, Secret: "s", Join: join, Types: topos.Types(add{}, get{}), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			panic(err)
		}
		defer node.Close(ctx)
		child := supervisor.ChildSpec{ID: "counter", Start: actor.Start(startCounter, actor.ClusterName("counter"))}
		if err := node.Place(ctx, child); err != nil {
			panic(err)
		}
		nodes = append(nodes, node)
		join = append(join, node.Addr())
	}
	for _, node := range nodes {
		counter, err := node.Await(ctx, "counter")
		if err != nil {
			panic(err)
		}
		actor.Call[int](ctx, node, counter, get{})
		node.Send(counter, add{1})
	}
	fmt.Println("called and counted from", len(nodes), "nodes")
	// Output: called and counted from 3 nodes
}
