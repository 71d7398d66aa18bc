package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExamplePNCounter() {
	var a, b crdt.PNCounter
	up := a.Add("a", 5)
	down := b.Add("b", -2)

	a.Join(down)
	b.Join(up)
	fmt.Println(b.Join(up), "the second time: nothing new")
	fmt.Println(a.Value(), b.Value())
	// Output:
	// false the second time: nothing new
	// 3 3
}

func ExamplePNCounter_Accumulate() {
	var a, b crdt.PNCounter
	for range 1000 {
		a.Accumulate("a", 1) // makes no delta
	}
	b.Join(a.Share("a")) // one for all of them
	fmt.Println(b.Value())
	// Output:
	// 1000
}
