package registry_test

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry"
)

func ExampleOwner() {
	nodes := []actor.NodeID{{Name: "a@host:1"}, {Name: "b@host:2"}, {Name: "c@host:3"}}
	before := registry.Owner("cart/1", nodes)
	moved := 0
	for i := range 1000 {
		key := fmt.Sprint("cart/", i)
		if was := registry.Owner(key, nodes); was != before && registry.Owner(key, without(nodes, before)) != was {
			moved++
		}
	}
	fmt.Println("carts that moved though their node stayed:", moved)
	// Output: carts that moved though their node stayed: 0
}

func without(nodes []actor.NodeID, gone actor.NodeID) []actor.NodeID {
	var rest []actor.NodeID
	for _, n := range nodes {
		if n != gone {
			rest = append(rest, n)
		}
	}
	return rest
}
