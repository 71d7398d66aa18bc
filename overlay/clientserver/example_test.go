package clientserver_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
)

// A client finds somebody through a seed who is a client, too, and names a server.
// When that is lost, the client is selected.
func Example() {
	self := overlay.Node{Name: "a@host:1", Boot: 1}
	b, c := overlay.Node{Name: "b@host:2", Boot: 1}, overlay.Node{Name: "c@host:3", Boot: 1}
	core, err := clientserver.New(clientserver.Config{
		Self:  self,
		Role:  clientserver.Auto,
		Seeds: []string{"host:2"},
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
	claims := []clientserver.Claim{{Node: c, Number: 1, Standing: clientserver.Serving}}
	now := time.Unix(0, 0)
	show(core.Tick(now))
	show(core.Step(now, overlay.Found{Addr: "host:2", Node: b}))
	show(core.Step(now, overlay.LinkUp{Node: b}))
	show(core.Step(now, overlay.Received{From: b, Message: clientserver.Refuse{Claims: claims}}))
	show(core.Step(now, overlay.LinkUp{Node: c}))
	show(core.Step(now, overlay.Received{From: c, Message: clientserver.Agree{Claims: claims}}))
	fmt.Println(core.Servers(), core.Serving())
	show(core.Step(now, overlay.Lost{Node: c, Err: overlay.ErrSilent}))
	core.Tick(now.Add(clientserver.DefaultSettle))
	fmt.Println(core.Servers(), core.Serving())
	// Output:
	// overlay.Probe {Addr:host:2}
	// overlay.Dial {Node:b@host:2/1-}
	// overlay.Send {To:b@host:2/1- Message:{Claims:[]}}
	// overlay.Disconnect {Node:b@host:2/1-}
	// overlay.Dial {Node:c@host:3/1-}
	// overlay.Send {To:c@host:3/1- Message:{Claims:[{Node:c@host:3/1- Number:1 Standing:1}]}}
	// overlay.NeighborUp {Node:c@host:3/1-}
	// [c@host:3/1-] false
	// overlay.Disconnect {Node:c@host:3/1-}
	// overlay.NeighborDown {Node:c@host:3/1-}
	// [a@host:1/1-] true
}
