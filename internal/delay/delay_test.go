package delay_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/internal/delay"
)

func TestBackoffDoublesUpToTheLongest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shortest := time.Duration(rapid.Int64Range(0, math.MaxInt64-1).Draw(t, "shortest"))
		longest := time.Duration(rapid.Int64Range(int64(shortest), math.MaxInt64-1).Draw(t, "longest"))
		attempts := rapid.IntRange(0, 200).Draw(t, "attempts")
		want := float64(shortest) * math.Pow(2, float64(attempts))
		want = min(want, float64(longest))
		got := delay.Backoff(rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed"))), shortest, longest, attempts)
		if f := float64(got); f < want/2-2 || f > want*1.000001 {
			t.Fatalf("%v is not between half and all of %v", got, time.Duration(want))
		}
	})
}

func TestWaitsOfManyAreNotAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 1000
	var sum, least, most time.Duration = 0, time.Hour, 0
	for range n {
		d := delay.Jitter(rng, time.Second)
		sum, least, most = sum+d, min(least, d), max(most, d)
	}
	if mean := sum / n; mean < 950*time.Millisecond || mean > 1050*time.Millisecond || least > 520*time.Millisecond || most < 1480*time.Millisecond {
		t.Errorf("from %v to %v, %v on average", least, most, mean)
	}
	if least < 500*time.Millisecond || most > 1500*time.Millisecond {
		t.Errorf("from %v to %v", least, most)
	}
}

func TestNothingToWaitForIsNoWait(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	if d := delay.Backoff(rng, 0, 0, 7); d != 0 {
		t.Errorf("Backoff: %v", d)
	}
	if d := delay.Jitter(rng, 0); d != 0 {
		t.Errorf("Jitter: %v", d)
	}
}
