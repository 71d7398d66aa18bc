package topics_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/registry/topics"
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
	t, err := topics.Start(ctx, topics.Config{System: sys, Groups: g})
	if err != nil {
		panic(err)
	}
	defer t.Close()

	read := make(chan any)
	reader, err := sys.Spawn(ctx, actor.Func(func(_ *actor.Self, msg any) error {
		read <- msg
		return nil
	}))
	if err != nil {
		panic(err)
	}
	if err := t.Subscribe(ctx, "news", reader); err != nil {
		panic(err)
	}
	nodes, err := t.Publish(sys, "news", "it works", actor.Ack())
	fmt.Println(nodes, err)
	fmt.Println(<-read)
	// Output:
	// 1 <nil>
	// it works
}
