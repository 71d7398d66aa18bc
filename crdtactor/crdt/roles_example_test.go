package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// lacking is how many bytes bring the replica with the digest up to date.
func lacking[S interface {
	crdt.State[S]
	crdt.Digester[S]
}](state S, digest *crdt.Digest) int {
	data, _ := state.DeltaSince(digest).MarshalBinary()
	return len(data)
}

// Anti-entropy: a replica that misses one change gets that change.
func ExampleDigester() {
	var here, there crdt.Cart
	for i := range 100 {
		there.Join(here.Add("replica 1", fmt.Sprint("item ", i), 1))
	}
	here.Add("replica 1", "one more", 1) // the delta is lost
	all, _ := here.MarshalBinary()
	fmt.Println(lacking(&here, there.Digest()) < len(all)/10)
	there.Join(here.DeltaSince(there.Digest()))
	fmt.Println(there.Equal(&here), lacking(&here, there.Digest()) < 10)
	// Output:
	// true
	// true true
}

// forget lets go of what state keeps on behalf of replica.
func forget[S crdt.Compactor[S]](state S, replica crdt.ReplicaID) S { return state.Compact(replica) }

// What one replica added and another removed is kept until the first lets go.
func ExampleCompactor() {
	var a, b crdt.Cart
	b.Join(a.Add("replica a", "apple", 3))
	a.Join(b.Remove("replica b", "apple"))
	before, _ := a.MarshalBinary()
	b.Join(forget(&a, "replica a"))
	after, _ := a.MarshalBinary()
	fmt.Println(len(after) < len(before), a.Equal(&b))
	// Output: true true
}
