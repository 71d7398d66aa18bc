package partition

import (
	"fmt"
	"testing"
)

// BenchmarkOperationIsLoggedAndAcknowledged measures one operation from its
// origin to its last acknowledgement, without a network: bytes are those of the
// operation.
func BenchmarkOperationIsLoggedAndAcknowledged(b *testing.B) {
	for _, n := range []int{2, 5, 20} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("n%02d", i)
			}
			l := smallLimits()
			l.ops, l.bytes, l.keep, l.batch, l.window, l.batchBytes = DefaultMaxOps, DefaultMaxBytes, DefaultKeep, batchOps, windowOps, batchBytes
			w := newWorld(l, names...)
			w.flow()
			op := make([]byte, 100)
			b.SetBytes(int64(len(op)))
			b.ReportAllocs()
			for b.Loop() {
				origin := w.nodes[names[0]].log
				if _, ok := origin.room(len(op)); !ok {
					b.Fatal("no room")
				}
				_, effects := origin.append(op)
				for _, e := range effects {
					to := w.nodes[e.(post).to].log
					for _, answer := range to.gotEntries(e.(post).msg.(Entries)) {
						if p, ok := answer.(post); ok {
							origin.gotDigest(p.msg.(Digest))
						}
					}
				}
			}
			if origin := w.nodes[names[0]].log; origin.kept > l.keep {
				b.Fatalf("%d operations are left", origin.kept)
			}
		})
	}
}
