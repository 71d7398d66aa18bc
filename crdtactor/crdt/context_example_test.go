package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleCausalContext() {
	var c crdt.CausalContext
	c.Add(crdt.Dot{Replica: "a", Seq: 1})
	c.Add(crdt.Dot{Replica: "a", Seq: 3}) // overtook a:2
	fmt.Println(&c, c.Contains(crdt.Dot{Replica: "a", Seq: 2}))

	c.Add(crdt.Dot{Replica: "a", Seq: 2})
	fmt.Println(&c)
	fmt.Println(c.Next("b"), &c)
	// Output:
	// {a:1,3} false
	// {a:1-3}
	// b:1 {a:1-3 b:1}
}
