package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleMaxMap() {
	var a, b crdt.MaxMap
	a.Raise("schema", 3)
	b.Raise("schema", 5)
	a.Join(&b)
	fmt.Println(a.Get("schema"))
	// Output:
	// 5 true
}
