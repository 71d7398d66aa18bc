package crdt

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestSumIsExactAndCutOnlyAtTheEnd(t *testing.T) {
	edges := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1})
	numbers := rapid.OneOf(edges, rapid.Int64())
	rapid.Check(t, func(t *rapid.T) {
		var s, unsigned sum
		exact, exactUnsigned := new(big.Int), new(big.Int)
		for range rapid.IntRange(0, 10).Draw(t, "count") {
			n := numbers.Draw(t, "n")
			if rapid.Bool().Draw(t, "add") {
				s.add(n)
				exact.Add(exact, big.NewInt(n))
			} else {
				s.sub(n)
				exact.Sub(exact, big.NewInt(n))
			}
			unsigned.addUnsigned(uint64(n))
			exactUnsigned.Add(exactUnsigned, new(big.Int).SetUint64(uint64(n)))
		}
		want := int64(math.MaxInt64)
		if exact.IsInt64() {
			want = exact.Int64()
		} else if exact.Sign() < 0 {
			want = math.MinInt64
		}
		if got := s.int64(); got != want {
			t.Fatalf("got %d, want %v", got, exact)
		}
		wantUnsigned := uint64(math.MaxUint64)
		if exactUnsigned.IsUint64() {
			wantUnsigned = exactUnsigned.Uint64()
		}
		if got := unsigned.uint64(); got != wantUnsigned {
			t.Fatalf("got %d, want %v", got, exactUnsigned)
		}
	})
}
