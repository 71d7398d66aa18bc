package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleTally() {
	var a, b crdt.Tally
	b.Join(a.Add("a", 5))

	reset := b.Reset("b") // sees 5
	a.Add("a", 2)         // at the same time

	a.Join(reset)
	fmt.Println(a.Value())
	// Output:
	// 2
}
