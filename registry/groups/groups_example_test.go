package groups_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
)

// alone is the Cluster of a node that has no others; package topos has that of
// real ones.
type alone struct{ self actor.NodeID }

func (a alone) Self() actor.NodeID                                     { return a.self }
func (a alone) Members() []actor.NodeID                                { return []actor.NodeID{a.self} }
func (a alone) SendControl(actor.NodeID, string, []byte) error         { return actor.ErrNoConnection }
func (a alone) HandleControl(string, func(actor.NodeID, []byte))       {}
func (a alone) Watch(func(node actor.NodeID, up bool)) (cancel func()) { return func() {} }

func ExampleStart() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "a@host:1"}})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	g, err := groups.Start(ctx, groups.Config{System: sys, Cluster: alone{sys.Node()}})
	if err != nil {
		panic(err)
	}
	defer g.Close()

	done := make(chan bool)
	cancel := g.Watch("workers", func(e groups.Event) {
		for _, m := range e.Joined {
			fmt.Println("joined, in", m.Metadata["zone"])
		}
		for _, m := range e.Left {
			fmt.Println("left, in", m.Metadata["zone"])
			close(done)
		}
	})
	defer cancel()
	worker, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { return actor.ErrNormal }))
	if err != nil {
		panic(err)
	}
	if err := g.Join("workers", worker, map[string]string{"zone": "eu"}); err != nil {
		panic(err)
	}
	for _, m := range g.Members("workers") {
		_ = sys.Send(m.PID, "work") // it ends, and leaves the group
	}
	<-done
	fmt.Println(len(g.Members("workers")), "left")
	// Output:
	// joined, in eu
	// left, in eu
	// 0 left
}

func ExampleGroups_Monitor() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "a@host:1"}})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	g, err := groups.Start(ctx, groups.Config{System: sys, Cluster: alone{sys.Node()}})
	if err != nil {
		panic(err)
	}
	defer g.Close()

	told := make(chan string)
	watcher, err := sys.Spawn(ctx, actor.Func(func(_ *actor.Self, msg any) error {
		if e, ok := msg.(groups.Event); ok {
			told <- fmt.Sprint(e.Group, ": ", len(e.Joined), " joined")
		}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	members, cancel, err := g.Monitor("workers", watcher)
	if err != nil {
		panic(err)
	}
	defer cancel()
	fmt.Println(len(members), "at first")
	if err := g.Join("workers", watcher, nil); err != nil {
		panic(err)
	}
	fmt.Println(<-told)
	// Output:
	// 0 at first
	// workers: 1 joined
}
