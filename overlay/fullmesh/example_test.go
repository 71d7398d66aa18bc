package fullmesh_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/fullmesh"
)

// A node finds another through a seed, and loses it.
func Example() {
	self := overlay.Node{Name: "a@host:1", Boot: 1}
	other := overlay.Node{Name: "b@host:2", Boot: 1}
	core, err := fullmesh.New(fullmesh.Config{Self: self, Seeds: []string{"host:2"}, Rand: rand.New(rand.NewPCG(1, 2))})
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
	show(core.Step(now, overlay.Found{Addr: "host:2", Node: other}))
	show(core.Step(now, overlay.LinkUp{Node: other}))
	// Silence.
	for len(core.Members()) > 0 {
		now = core.Deadline()
		for _, e := range core.Tick(now) {
			if down, ok := e.(overlay.Down); ok {
				fmt.Println(now.Sub(time.Unix(0, 0)), down.Reason)
			}
		}
	}
	// Output:
	// overlay.Probe {Addr:host:2}
	// overlay.Dial {Node:b@host:2/1-}
	// overlay.NeighborUp {Node:b@host:2/1-}
	// overlay.Up {Node:b@host:2/1-}
	// overlay.Send {To:b@host:2/1- Message:{Seq:1}}
	// 3s overlay: node silent
}
