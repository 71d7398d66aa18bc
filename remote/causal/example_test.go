package causal_test

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/causal"
)

// trio is three nodes that carry out what their groups say.
type trio map[string]*causal.Group[string]

func id(name string) actor.NodeID {
	return actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}}
}

func newTrio() trio {
	t := trio{}
	for _, name := range []string{"A", "B", "C"} {
		t[name], _ = causal.New[string](causal.Config{Self: id(name)})
	}
	return t
}

// arrive hands a message over and prints what comes of it.
func (t trio) arrive(from, to, item string, stamp causal.Stamp) {
	fmt.Printf("%s has come to %s\n", item, to)
	t.carryOut(to, t[to].Receive(time.Unix(0, 0), id(from), stamp, item, len(item)))
}

func (t trio) carryOut(at string, effects []causal.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case causal.Deliver[string]:
			fmt.Printf("  %s: delivered %s\n", at, e.Item)
		case causal.Dead[string]:
			fmt.Printf("  %s: dead letter %s: %v\n", at, e.Item, e.Reason)
		case causal.Released:
			fmt.Printf("  %s: released %d, without what %s has sent: %v\n", at, e.Waiting, e.From.Name, e.Cause)
		}
	}
}

// A sends m1 to C, which is late, and m2 to B. B has it and sends m3 to C, and A
// sends m4 to C. C has all in their order.
func Example() {
	t := newTrio()
	m1, _ := t["A"].Stamp(id("C"))
	m2, _ := t["A"].Stamp(id("B"))
	t.arrive("A", "B", "m2", m2)
	m3, _ := t["B"].Stamp(id("C"))
	m4, _ := t["A"].Stamp(id("C"))

	t.arrive("B", "C", "m3", m3)
	t.arrive("A", "C", "m4", m4)
	t.arrive("A", "C", "m1", m1)
	// Output:
	// m2 has come to B
	//   B: delivered m2
	// m3 has come to C
	// m4 has come to C
	// m1 has come to C
	//   C: delivered m1
	//   C: delivered m3
	//   C: delivered m4
}

// A crashes, and what it has sent to C is lost. C does not wait for it any more
// when it has the obituary.
func ExampleGroup_Obituary() {
	t := newTrio()
	_, _ = t["A"].Stamp(id("C")) // lost
	m2, _ := t["A"].Stamp(id("B"))
	t.arrive("A", "B", "m2", m2)
	m3, _ := t["B"].Stamp(id("C"))
	t.arrive("B", "C", "m3", m3)

	t.carryOut("C", t["C"].Obituary(time.Unix(1, 0), id("A"), true))
	// Output:
	// m2 has come to B
	//   B: delivered m2
	// m3 has come to C
	//   C: released 1, without what A has sent: causal: node buried
	//   C: delivered m3
}

// What a stamp says, and the bytes it is sent as.
func ExampleStamp() {
	t := newTrio()
	_, _ = t["A"].Stamp(id("C"))
	stamp, _ := t["A"].Stamp(id("B"))

	b := stamp.Append(nil)
	parsed, err := causal.ParseStamp(b)
	fmt.Println(len(b), "bytes,", err)
	fmt.Println("number", parsed.Seq)
	for _, e := range parsed.Needs {
		names := []string{"A", "B", parsed.Others[0].Name}
		fmt.Printf("%s has been sent up to %v by %s\n", names[e.To], e.Seq, names[e.From])
	}
	// Output:
	// 16 bytes, <nil>
	// number 0.1
	// C has been sent up to 0.1 by A
}
