package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// A node is gone for ever. What its replicas have counted stays, their entries do
// not.
func ExampleSettler() {
	var c crdt.GCounter
	c.Add(crdt.Incarnation("here", 1), 1)
	c.Add(crdt.Incarnation("gone", 1), 20)
	c.Add(crdt.Incarnation("gone", 2), 300)
	c.Settle(func(lineage string, start uint64) bool { return lineage == "gone" && start < 3 })
	fmt.Println(c.Value())
	for lineage, start := range c.Lives() {
		fmt.Println(lineage, start)
	}
	// Output:
	// 321
	// here 1
}

// Ids made by Incarnation say whose replica it is and when it started.
func ExampleReplicaID_Lineage() {
	lineage, start, ok := crdt.Incarnation("node@host:1", 7).Lineage()
	fmt.Println(lineage, start, ok)
	_, _, ok = crdt.ReplicaID("some name").Lineage()
	fmt.Println(ok)
	// Output:
	// node@host:1 7 true
	// false
}
