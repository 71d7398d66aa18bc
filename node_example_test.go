package topos_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

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

// A node names what others may start on it; a process elsewhere starts it there,
// linked, and is told when the node is lost.
func ExampleNode_SpawnAt() {
	ctx := context.Background()
	cfg := topos.Config{Name: "a", Secret: "s", Types: topos.Types(add{}, get{}), Logger: slog.New(slog.DiscardHandler)}
	cfg.Constructors = map[string]actor.Constructor{
		"counter": func(args any) (actor.Actor, []actor.SpawnOption, error) {
			from, ok := args.(add)
			if !ok {
				return nil, nil, fmt.Errorf("a counter begins with an add, not a %T", args)
			}
			return &counter{n: from.N}, nil, nil
		},
	}
	a, err := topos.Start(ctx, cfg)
	if err != nil {
		panic(err)
	}
	cfg.Name, cfg.Join = "b", []string{a.Addr()}
	b, err := topos.Start(ctx, cfg)
	if err != nil {
		panic(err)
	}
	defer b.Close(ctx)

	told := make(chan actor.NodeDown, 1)
	begun := make(chan struct{})
	parent := actor.Func(func(self *actor.Self, msg any) error {
		switch m := msg.(type) {
		case actor.NodeDown:
			told <- m
		default:
			defer close(begun)
			// By the cluster's judgement, or by this node's own as well.
			var often actor.NodeMonitorOption = actor.Heartbeat(time.Second, 3)
			self.MonitorNode(a.Node(), often)
			pid, err := self.SpawnAt(ctx, a.Node(), "counter", add{40})
			if err != nil {
				return err
			}
			_ = self.Send(pid, add{2})
			fmt.Println(actor.Call[int](ctx, self, pid, get{}))
			_, err = self.SpawnAt(ctx, a.Node(), "counter", "forty")
			fmt.Println(err != nil)
		}
		return nil
	})
	pid, err := b.Spawn(ctx, parent)
	if err != nil {
		panic(err)
	}
	_ = b.Send(pid, "begin")
	<-begun
	a.Close(ctx)
	fmt.Println("lost:", (<-told).Node == a.Node())
	// Output:
	// 42 <nil>
	// true
	// lost: true
}
