package crdt_test

import (
	"fmt"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// A replica can be written once for all types: this one keeps what it hears
// and passes on what was news.
type replica[S crdt.State[S]] struct {
	state      S
	neighbours []*replica[S]
}

func (r *replica[S]) hear(delta S) {
	if r.state.Join(delta) {
		for _, n := range r.neighbours {
			n.hear(delta)
		}
	}
}

func ExampleState() {
	a := &replica[*crdt.PNCounter]{state: new(crdt.PNCounter)}
	b := &replica[*crdt.PNCounter]{state: new(crdt.PNCounter)}
	c := &replica[*crdt.PNCounter]{state: new(crdt.PNCounter)}
	a.neighbours = []*replica[*crdt.PNCounter]{b}
	b.neighbours = []*replica[*crdt.PNCounter]{c}
	c.neighbours = []*replica[*crdt.PNCounter]{a, b} // a ring: it ends all the same

	var mine crdt.PNCounter
	a.hear(mine.Add("me", 7))
	fmt.Println(a.state.Value(), b.state.Value(), c.state.Value())
	// Output:
	// 7 7 7
}

func ExampleDecode() {
	var c crdt.PNCounter
	c.Add("a", 7)
	data, _ := c.MarshalBinary()

	again, err := crdt.Decode[crdt.PNCounter](data)
	fmt.Println(again.Value(), err)

	_, err = crdt.Decode[crdt.Cart](data)
	fmt.Println(err)
	// Output:
	// 7 <nil>
	// crdt: malformed encoding: not of kind "C"
}
