package order

import "testing"

func TestNewLaneTakesItsShareAndNothingElseMoves(t *testing.T) {
	for n := 1; n < 64; n++ {
		moved, counts := 0, make([]int, n+1)
		for shard := range uint32(Shards) {
			before, after := Home(shard, n), Home(shard, n+1)
			if before != after {
				if moved++; after != n {
					t.Fatalf("shard %d moves from %d to %d when lane %d comes", shard, before, after, n)
				}
			}
			counts[after]++
		}
		if share := Shards / (n + 1); moved > 2*share+6 || n < 8 && moved < share/2 {
			t.Errorf("%d shards move to lane %d", moved, n)
		}
	}
}
