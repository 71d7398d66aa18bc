package replica_test

import (
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// BenchmarkCoreUpdate is one more in a counter of which no neighbor has to hear.
func BenchmarkCoreUpdate(b *testing.B) {
	c := replica.New(replica.Config[*crdt.PNCounter]{Node: "n", ID: crdt.Incarnation("n", 1), New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	b.ReportAllocs()
	for b.Loop() {
		c.Update("", func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) })
	}
}
