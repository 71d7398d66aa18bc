package gossip_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/gossip"
)

// A node asks a member that it has been told of, learns of another from it, and
// accepts a third.
func Example() {
	node := func(name string) overlay.Node { return overlay.Node{Name: name, Boot: 1} }
	b, c, d := node("b@host:2"), node("c@host:3"), node("d@host:4")
	core, err := gossip.New(gossip.Config{Self: node("a@host:1"), Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		panic(err)
	}
	show := func(effects overlay.Effects) {
		for _, e := range effects {
			fmt.Printf("%T %+v\n", e, e)
		}
	}
	now := time.Unix(0, 0)
	show(core.Tick(now))
	show(core.Step(now, overlay.Met{Node: b}))
	show(core.Step(now, overlay.LinkUp{Node: b}))
	show(core.Step(now, overlay.Received{From: b, Message: gossip.Agree{Nodes: []overlay.Node{c}}}))
	show(core.Step(now, overlay.LinkUp{Node: d, Accepted: true}))
	show(core.Step(now, overlay.Received{From: d, Message: gossip.Ask{}}))
	fmt.Println(core.Neighbors(), "of at most", 2*core.Fanout())
	// Output:
	// overlay.Dial {Node:b@host:2/1-}
	// overlay.Send {To:b@host:2/1- Message:{Urgent:true}}
	// overlay.NeighborUp {Node:b@host:2/1-}
	// overlay.Dial {Node:c@host:3/1-}
	// overlay.NeighborUp {Node:d@host:4/1-}
	// overlay.Send {To:d@host:4/1- Message:{Nodes:[b@host:2/1-]}}
	// [b@host:2/1- d@host:4/1-] of at most 8
}
