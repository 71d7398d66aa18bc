package hyparview_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/hyparview"
)

// A node joins through a seed, gets a second neighbor from the join's random
// walk, and replaces the first when that fails.
func Example() {
	node := func(name string) overlay.Node { return overlay.Node{Name: name, Boot: 1} }
	self, b, c, d := node("a@host:1"), node("b@host:2"), node("c@host:3"), node("d@host:4")
	core, err := hyparview.New(hyparview.Config{
		Self:  self,
		Seeds: []string{"host:2"},
		XBot:  &hyparview.XBot{}, // nearer neighbors, if there are any
		Rand:  rand.New(rand.NewPCG(1, 2)),
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
	show(core.Step(now, overlay.Received{From: b, Message: hyparview.NeighborReply{Of: 1, Number: 1, Accepted: true}}))
	show(core.Step(now, overlay.LinkUp{Node: c, Accepted: true}))
	show(core.Step(now, overlay.Received{From: c, Message: hyparview.Neighbor{Number: 8, High: true}}))
	// d has joined elsewhere, and becomes a candidate. As there is room, it is
	// asked at once.
	show(core.Step(now, overlay.Received{From: b, Message: hyparview.ForwardJoin{Node: d, TTL: 3}}))
	show(core.Step(now, overlay.LinkDown{Node: b}))
	show(core.Step(now, overlay.LinkUp{Node: d}))
	show(core.Step(now, overlay.Received{From: d, Message: hyparview.NeighborReply{Of: 3, Number: 5, Accepted: true}}))
	fmt.Println(core.Active())
	// Output:
	// overlay.Probe {Addr:host:2}
	// overlay.Dial {Node:b@host:2/1-}
	// overlay.Send {To:b@host:2/1- Message:{Number:1}}
	// overlay.NeighborUp {Node:b@host:2/1-}
	// overlay.NeighborUp {Node:c@host:3/1-}
	// overlay.Send {To:c@host:3/1- Message:{Of:8 Number:2 Accepted:true}}
	// overlay.Send {To:c@host:3/1- Message:{Node:d@host:4/1- TTL:2}}
	// overlay.Dial {Node:d@host:4/1-}
	// overlay.NeighborDown {Node:b@host:2/1-}
	// overlay.Probe {Addr:host:2}
	// overlay.Dial {Node:b@host:2/1-}
	// overlay.Send {To:d@host:4/1- Message:{Number:3 High:false}}
	// overlay.NeighborUp {Node:d@host:4/1-}
	// [c@host:3/1- d@host:4/1-]
}
