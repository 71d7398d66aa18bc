package crdt_test

import (
	"fmt"
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleGSet() {
	var a, b crdt.GSet
	a.Add("x")
	b.Add("y")
	a.Join(&b)
	fmt.Println(slices.Collect(a.All()))
	// Output:
	// [x y]
}
