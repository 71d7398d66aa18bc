package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleGCounter() {
	var a, b crdt.GCounter
	a.Add("a", 2)
	b.Add("b", 3)
	a.Join(&b)
	fmt.Println(a.Value())
	// Output:
	// 5
}
