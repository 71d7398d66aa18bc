package order_test

import (
	"fmt"

	"github.com/topos-go/topos/remote/order"
)

// lane counts frames.
type lane struct{ pushed, quiet uint64 }

func (l *lane) Pushed() uint64 { return l.pushed }
func (l *lane) Quiet() uint64  { return l.quiet }

var _ order.Lane = (*lane)(nil)

// The first message of a shard over another lane waits for those before it.
func ExampleTable() {
	var old, young lane
	var t order.Table
	for range 2 {
		_, must := t.Next(7, &old, false, nil)
		old.pushed++
		t.Pushed(7)
		fmt.Println("over the old lane:", must)
	}
	after, must := t.Next(7, &young, false, nil)
	fmt.Println("over the young one:", must, after.Count)

	old.quiet = old.pushed
	t.Outstanding(7, func(m order.Mark, behind []order.Standing) {
		var s order.Standing = behind[0]
		fmt.Println("of", m.Count, "the last may be under way:", !s.Reached())
	})
	// Output:
	// over the old lane: false
	// over the old lane: false
	// over the young one: true 2
	// of 3 the last may be under way: true
}

// A message that has come too early waits for its turn.
func ExampleGate() {
	type stream string
	var g order.Gate[stream, string]
	delivered := make(map[uint32]uint64)
	reached := func(n order.Need[stream]) bool { return delivered[n.Seq] >= n.Count }
	deliver := func(t order.Turn[stream], m string) {
		delivered[t.Seq]++
		fmt.Println(m)
	}
	young := order.Turn[stream]{Stream: "default", Lane: 1, Seq: 7}
	g.Condition(young, []order.Need[stream]{{Stream: "default", Mark: order.Mark{Seq: 7, Count: 1}}})
	fmt.Println("waits:", g.Hold(young, "second", 1, 6))

	old := order.Turn[stream]{Stream: "default", Lane: 0, Seq: 7}
	deliver(old, "first")
	g.Release(reached, deliver, old)
	// Output:
	// waits: true
	// first
	// second
}
