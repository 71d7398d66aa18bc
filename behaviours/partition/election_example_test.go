package partition_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/remote"
)

// voter is a remote node as the registry wants it. A topos.Node has it done.
type voter struct{ *remote.Node }

func (v voter) Self() actor.NodeID { return v.ID() }

func (v voter) Members() []actor.NodeID { return []actor.NodeID{v.ID()} }

func (v voter) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	v.Node.HandleControl(topic, f)
}

func (v voter) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	return v.Subscribe(func(e remote.MemberEvent) { f(e.Node, e.Kind == remote.MemberUp) })
}

// A node campaigns for as long as it has an Election, and its guard lets writes
// through while its side has the leader.
func ExampleStrongLeader() {
	ctx := context.Background()
	node, err := remote.New(remote.Config{Name: "a", Secret: "secret"})
	if err != nil {
		panic(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
	if err != nil {
		panic(err)
	}
	r, err := strong.New(strong.Config{Cluster: voter{node}, Voters: []string{node.ID().Name}, Bootstrap: true})
	if err != nil {
		panic(err)
	}
	if err := errors.Join(r.Start(), node.Start(sys)); err != nil {
		panic(err)
	}
	defer func() { _ = errors.Join(sys.Close(ctx), r.Close(ctx), node.Close(ctx)) }()

	election, err := partition.StrongLeader(r, "total") // in a program, with node.Strong()
	if err != nil {
		panic(err)
	}
	leads := make(chan struct{})
	defer election.Watch(func(leader actor.NodeID) {
		if leader == node.ID() {
			close(leads)
		}
	})()
	<-leads
	guard := partition.New(partition.Config{
		Name: "total", Strategy: partition.ElectLeader, Leader: election, LeaderOnly: true,
		Cluster: new(stagehand), Classify: class,
	}, new(Total))
	pid, err := sys.Spawn(ctx, guard, actor.Name("total"))
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[int](ctx, sys, pid, Incr{1}))
	fmt.Println("closed:", election.Close(ctx))
	_, err = actor.Call[int](ctx, sys, pid, Incr{1})
	fmt.Println(errors.Is(err, partition.ErrReadOnly))
	// Output:
	// 1 <nil>
	// closed: <nil>
	// true
}
