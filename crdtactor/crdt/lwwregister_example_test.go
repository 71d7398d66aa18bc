package crdt_test

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
)

func ExampleLWWRegister() {
	noon := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	var a, b crdt.LWWRegister
	a.Set("a", noon.Add(time.Second), "later")
	b.Set("b", noon, "earlier")
	a.Join(&b)
	b.Join(&a)
	fmt.Println(a.Value())
	fmt.Println(b.Value())
	// Output:
	// later true
	// later true
}
