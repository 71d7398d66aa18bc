package crdt_test

import (
	"fmt"
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleORSet() {
	var a, b crdt.ORSet
	b.Join(a.Add("a", "x"))
	b.Join(a.Add("a", "y"))

	b.Remove("x")
	b.Remove("y")
	a.Add("a", "y") // at the same time: the addition wins

	a.Join(&b)
	fmt.Println(slices.Collect(a.All()))
	// Output:
	// [y]
}
