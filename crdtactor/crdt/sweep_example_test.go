package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// What was removed of a replica that is gone is swept when everybody has been
// heard out.
func ExampleSweeper() {
	cart := new(crdt.Cart)
	cart.Add(crdt.Incarnation("gone", 1), "tea", 1)
	cart.Remove(crdt.Incarnation("here", 1), "tea")
	before, _ := cart.MarshalBinary()
	var kept crdt.Sweeper[*crdt.Cart] = cart
	kept.Sweep(func(lineage string, _ uint64) bool { return lineage == "gone" })
	after, _ := cart.MarshalBinary()
	fmt.Println(cart.Len(), len(before)-len(after) > len("tea"))
	// Output: 0 true
}
