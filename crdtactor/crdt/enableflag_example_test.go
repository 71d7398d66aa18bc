package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleEnableFlag() {
	var a, b crdt.EnableFlag
	b.Join(a.Enable("a"))

	off := b.Disable()
	a.Enable("a") // at the same time: on wins

	a.Join(off)
	fmt.Println(a.Enabled())
	// Output:
	// true
}
