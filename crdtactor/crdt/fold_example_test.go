package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleFolder() {
	var here, there crdt.PNCounter
	for start := range uint64(3) { // a node counts in three lives
		there.Join(here.Add(crdt.Incarnation("node@host:1", start), 2))
	}
	long, _ := there.MarshalBinary()

	latest := crdt.Incarnation("node@host:1", 2)
	if here.Foldable(latest) { // and everybody has been heard out
		there.Join(here.Fold(latest))
	}
	short, _ := there.MarshalBinary()
	fmt.Println(here.Value(), there.Value(), len(short) < len(long))
	// Output: 6 6 true
}

func ExampleIncarnation() {
	first := crdt.Incarnation("node@host:1", 1_700_000_000)
	second := crdt.Incarnation("node@host:1", 1_700_000_999)
	fmt.Println(first, first.Before(second), second.Before(first))
	// Output: node@host:1#s44we8 true false
}
