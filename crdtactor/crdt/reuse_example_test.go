package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleGCounter_Reuse() {
	var c crdt.GCounter
	sent := c.Add("a", 1) // and encoded, and acknowledged by everybody
	c.Reuse(sent)
	next := c.Add("a", 1)
	fmt.Println(next.Value(), next == sent)
	// Output: 2 true
}
