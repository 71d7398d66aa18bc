package replica_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// Two replicas and the network between them. A lost delta is found by comparing
// roots.
func Example() {
	nodes := map[string]*replica.Core[*crdt.GCounter]{}
	for _, name := range []string{"a", "b"} {
		nodes[name] = replica.New(replica.Config[*crdt.GCounter]{
			Node: name, ID: crdt.Incarnation(name, 1), New: func() *crdt.GCounter { return new(crdt.GCounter) },
		})
	}
	nodes["a"].See([]string{"b"}, []string{"b"})
	nodes["b"].See([]string{"a"}, []string{"a"})
	carry := func() { // until nobody has anything to say
		for moved := true; moved; {
			moved = false
			for _, core := range nodes {
				for _, e := range core.Take().Out {
					nodes[e.To].Step(e.Msg)
					moved = true
				}
			}
		}
	}
	visit := func(c *crdt.GCounter, me crdt.ReplicaID) *crdt.GCounter { return c.Add(me, 1) }

	nodes["a"].Update("page", visit)
	nodes["a"].Flush()
	carry()
	nodes["a"].Update("page", visit)
	nodes["a"].Flush()
	nodes["a"].Take() // this delta is lost
	show := func() {
		state, _ := nodes["b"].State("page")
		fmt.Println(state.Value())
	}
	show()
	nodes["b"].Tick()
	carry()
	nodes["a"].Tick()
	carry()
	show()
	// Output:
	// 1
	// 2
}
