package rpc

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// What a client says is over is what a server need not remember: never more than
// is over, and all that is before the oldest that is not.
func TestChannelSaysWhichRequestsAreOver(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	ch := &channel{done: 1, open: make(map[uint64]bool)}
	var open []uint64
	last := uint64(0)
	for range 10_000 {
		if len(open) == 0 || random.IntN(2) == 0 && len(open) < 50 {
			last++
			if seq := ch.begin(); seq != last {
				t.Fatalf("request %d has the number %d", last, seq)
			}
			open = append(open, last)
		} else {
			i := random.IntN(len(open))
			ch.end(open[i])
			open = slices.Delete(open, i, i+1)
		}
		want := last + 1
		if len(open) > 0 {
			want = slices.Min(open)
		}
		if got := ch.over(); got != want {
			t.Fatalf("%d are over, want %d: open are %v of %d", got, want, open, last)
		}
		if n := int(last + 1 - want); len(ch.open) > n {
			t.Fatalf("%d requests are remembered, of which %d may be needed", len(ch.open), n)
		}
	}
}
