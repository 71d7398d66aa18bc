package static_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/static"
)

// A node has a peer, and accepts whoever has it for one.
func Example() {
	self := overlay.Node{Name: "a@host:1", Boot: 1}
	b, c := overlay.Node{Name: "b@host:2", Boot: 7}, overlay.Node{Name: "c@host:3", Boot: 1}
	core, err := static.New(static.Config{
		Self:   self,
		Peers:  []string{"b@host:2"},
		Accept: static.Anyone,
		Rand:   rand.New(rand.NewPCG(1, 2)),
	})
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
	show(core.Step(now, overlay.Found{Addr: "host:2", Node: b}))
	show(core.Step(now, overlay.LinkUp{Node: b}))
	show(core.Step(now, overlay.Received{From: b, Message: static.Agree{}}))
	show(core.Step(now, overlay.LinkUp{Node: c, Accepted: true}))
	show(core.Step(now, overlay.Received{From: c, Message: static.Ask{}}))
	fmt.Println(core.Neighbors())
	show(core.Step(now.Add(time.Minute), overlay.LinkDown{Node: b}))
	// Output:
	// overlay.Probe {Addr:host:2}
	// overlay.Dial {Node:b@host:2/7-}
	// overlay.Send {To:b@host:2/7- Message:{}}
	// overlay.NeighborUp {Node:b@host:2/7-}
	// overlay.NeighborUp {Node:c@host:3/1-}
	// overlay.Send {To:c@host:3/1- Message:{}}
	// [b@host:2/7- c@host:3/1-]
	// overlay.NeighborDown {Node:b@host:2/7-}
	// overlay.Probe {Addr:host:2}
}
