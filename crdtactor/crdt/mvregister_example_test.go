package crdt_test

import (
	"fmt"
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleMVRegister() {
	var a, b crdt.MVRegister
	a.Set("a", "red")
	b.Set("b", "blue")
	a.Join(&b)
	fmt.Println(slices.Collect(a.All()))

	a.Set("a", "violet") // replaces what a has seen: both
	color, agreed := a.Value()
	fmt.Println(color, agreed)
	// Output:
	// [blue red]
	// violet true
}
