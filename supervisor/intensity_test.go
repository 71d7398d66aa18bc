package supervisor

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIntensityTellsZeroFromSilence(t *testing.T) {
	for _, c := range []struct {
		i    Intensity
		want int
	}{{Intensity{}, 1}, {AtMost(0), 0}, {AtMost(1), 1}, {AtMost(7), 7}, {AtMost(-1), -1}, {AtMost(math.MaxInt), math.MaxInt - 1}} {
		if got := c.i.max(); got != c.want {
			t.Errorf("%+v tolerates %d restarts, want %d", c.i, got, c.want)
		}
	}
}

// TestWindowAgreesWithCounting compares the window with a plain count over all
// restarts there have ever been.
func TestWindowAgreesWithCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		period := time.Duration(rapid.IntRange(1, 20).Draw(t, "period"))
		var w window
		var all []time.Time
		now := time.Unix(0, 0)
		for range rapid.IntRange(1, 60).Draw(t, "restarts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "pause")))
			recent := 0
			for _, at := range all {
				if now.Sub(at) <= period {
					recent++
				}
			}
			want := recent+1 <= limit
			if got := w.add(now, limit, period); got != want {
				t.Fatalf("restart at %v tolerated: %v, want %v", now, got, want)
			}
			if !want {
				return // the supervisor ends
			}
			all = append(all, now)
		}
		if len(w.at) > limit {
			t.Fatalf("%d restarts are kept for a limit of %d", len(w.at), limit)
		}
	})
}
