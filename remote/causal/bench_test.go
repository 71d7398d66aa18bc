package causal

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/actor"
)

// BenchmarkStampAndReceive is one message, from the stamp to its delivery, among
// nodes that all send to each other in turn.
func BenchmarkStampAndReceive(b *testing.B) {
	for _, n := range []int{3, 8} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			groups, ids := ring(b, n)
			bytes := 0
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				from := i % n
				to := (from + 1 + i/n%(n-1)) % n
				stamp, err := groups[from].Stamp(ids[to])
				if err != nil {
					b.Fatal(err)
				}
				buf = stamp.Append(buf[:0])
				bytes += len(buf)
				if stamp, err = ParseStamp(buf); err != nil {
					b.Fatal(err)
				}
				if e := groups[to].Receive(start, ids[from], stamp, i, 8); len(e) == 0 {
					b.Fatal("not delivered")
				}
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "stampB/op")
		})
	}
}

func ring(b *testing.B, n int) (groups []*Group[int], ids []actor.NodeID) {
	for i := range n {
		id := node(fmt.Sprintf("node%d@10.0.0.%d:7001", i, i))
		id.Incarnation.Boot = 1 << 60
		g, err := New[int](Config{Self: id})
		if err != nil {
			b.Fatal(err)
		}
		groups, ids = append(groups, g), append(ids, id)
	}
	return groups, ids
}

// BenchmarkStampOneWay is one message to one node that never answers, with
// acknowledgements.
func BenchmarkStampOneWay(b *testing.B) {
	groups, ids := ring(b, 2)
	b.ReportAllocs()
	for b.Loop() {
		stamp, err := groups[0].Stamp(ids[1])
		if err != nil {
			b.Fatal(err)
		}
		groups[1].Receive(start, ids[0], stamp, 0, 8)
		groups[0].Delivered(ids[1], stamp.Seq)
	}
}
