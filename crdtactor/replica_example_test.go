package crdtactor_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleUpdate() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	// One node; with more, Members says which they are, and each has a replica.
	visits, err := sys.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name:     "visits",
		New:      func() *crdt.PNCounter { return new(crdt.PNCounter) },
		Members:  func() []actor.NodeID { return []actor.NodeID{sys.Node()} },
		Strategy: crdtactor.Eager(),
	}), actor.Name("visits"))
	if err != nil {
		panic(err)
	}
	visit := func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) }
	for range 3 {
		if err := crdtactor.Update(ctx, sys, visits, visit, crdtactor.Copies(1)); err != nil {
			panic(err)
		}
	}
	counter, err := crdtactor.Get[*crdt.PNCounter](ctx, sys, visits)
	fmt.Println(counter.Value(), err)
	// Output: 3 <nil>
}
