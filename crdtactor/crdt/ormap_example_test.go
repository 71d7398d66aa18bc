package crdt_test

import (
	"fmt"
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleORMap() {
	var a, b crdt.ORMap[*crdt.ORSet]
	delta := a.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet {
		return s.Add("a", "apple")
	})
	b.Join(delta)

	b.Remove("b", "fruit")
	a.Update("fruit", func(s *crdt.ORSet) *crdt.ORSet { // at the same time
		return s.Add("a", "plum")
	})

	a.Join(&b)
	for key, set := range a.All() {
		fmt.Println(key, slices.Collect(set.All()))
	}
	// Output:
	// fruit [plum]
}
