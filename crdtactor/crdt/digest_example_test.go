package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// Anti-entropy: the replica that wants to catch up sends its digest, the other
// answers with what is missing.
func ExampleDigest() {
	var a, b crdt.Cart
	for n := range 100 {
		b.Join(a.Add("a", fmt.Sprintf("item-%02d", n), 1))
	}
	a.Add("a", "tea", 1)     // both deltas
	a.Remove("a", "item-07") // are lost

	question, _ := b.Digest().MarshalBinary()
	whole, _ := a.MarshalBinary()

	var digest crdt.Digest
	if err := digest.UnmarshalBinary(question); err != nil {
		fmt.Println(err)
		return
	}
	answer, _ := a.DeltaSince(&digest).MarshalBinary()

	delta, err := crdt.Decode[crdt.Cart](answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Join(delta), b.Equal(&a))
	fmt.Println(len(question), "bytes asked,", len(answer), "answered, instead of", len(whole))
	// Output:
	// true true
	// 12 bytes asked, 20 answered, instead of 1404
}
