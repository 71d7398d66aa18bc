package crdt_test

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// id returns a replica id as long as real ones are.
func id(n int) crdt.ReplicaID {
	return crdt.ReplicaID(fmt.Sprintf("node-%02d@10.42.0.%02d:9000/q8Zk3VwXcTnPbL", n, n))
}

// cartOf returns a cart of n items added by turns by three replicas.
func cartOf(n int) *crdt.Cart {
	c := new(crdt.Cart)
	for i := range n {
		c.Add(id(i%3), fmt.Sprintf("item-%05d", i), 1)
	}
	return c
}

func BenchmarkPNCounterAccumulateAndValue(b *testing.B) {
	var c crdt.PNCounter
	for n := range 5 {
		c.Accumulate(id(n), 1)
	}
	me := id(2)
	b.ReportAllocs()
	for b.Loop() {
		c.Accumulate(me, 1)
		if c.Value() == 0 {
			b.Fatal("lost")
		}
	}
}

func BenchmarkPNCounterAddAndValue(b *testing.B) {
	var c crdt.PNCounter
	for n := range 5 {
		c.Accumulate(id(n), 1)
	}
	me := id(2)
	b.ReportAllocs()
	for b.Loop() {
		if c.Add(me, 1).IsZero() || c.Value() == 0 {
			b.Fatal("lost")
		}
	}
}

func BenchmarkPNCounterJoin(b *testing.B) {
	var c, other crdt.PNCounter
	for n := range 5 {
		c.Accumulate(id(n), 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		other.Join(c.Add(id(2), 1))
	}
}

func BenchmarkCartAddTo1000(b *testing.B) {
	c := cartOf(1000)
	me := id(0)
	b.ReportAllocs()
	for b.Loop() {
		if c.Add(me, "item-00500", 1).IsZero() {
			b.Fatal("lost")
		}
	}
}

func BenchmarkCartAddAndRemoveIn1000(b *testing.B) {
	c := cartOf(1000)
	me := id(0)
	b.ReportAllocs()
	for b.Loop() {
		c.Add(me, "another", 1)
		c.Remove(me, "another")
	}
}

func BenchmarkCartJoinDeltaInto1000(b *testing.B) {
	c := cartOf(1000)
	other := c.Clone()
	me := id(0)
	b.ReportAllocs()
	for b.Loop() {
		if !other.Join(c.Add(me, "item-00500", 1)) {
			b.Fatal("lost")
		}
	}
}

func BenchmarkCartMarshal1000(b *testing.B) {
	c := cartOf(1000)
	b.ReportAllocs()
	for b.Loop() {
		data, _ := c.MarshalBinary()
		b.SetBytes(int64(len(data)))
	}
}

func BenchmarkCartUnmarshal1000(b *testing.B) {
	data, _ := cartOf(1000).MarshalBinary()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := crdt.Decode[crdt.Cart](data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCartDigest1000(b *testing.B) {
	c := cartOf(1000)
	b.ReportAllocs()
	for b.Loop() {
		c.Digest()
	}
}
