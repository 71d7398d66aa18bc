package supervisor

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffGrowsUpToItsMaximum(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		b    Backoff
		want []time.Duration
	}{
		{Backoff{}, []time.Duration{0, 0, 0}},
		{Backoff{Initial: s}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		{Backoff{Initial: s, Factor: 1}, []time.Duration{s, s, s}},
		{Backoff{Initial: 2 * s, Factor: 1.5, Max: 4 * s}, []time.Duration{2 * s, 3 * s, 4 * s, 4 * s}},
		{Backoff{Initial: time.Minute}, []time.Duration{time.Minute, time.Minute}},
		{Backoff{Initial: math.MaxInt64, Max: math.MaxInt64}, []time.Duration{math.MaxInt64, math.MaxInt64}},
	} {
		for n, want := range c.want {
			if got := c.b.delay(n, nil); got != want {
				t.Errorf("%+v: delay %d is %v, want %v", c.b, n, got, want)
			}
		}
	}
}

func TestBackoffStaysWithinItsBoundsHoweverManyRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{
			Initial: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "initial")),
			Factor:  rapid.Float64Range(1, 100).Draw(t, "factor"),
			Jitter:  rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		b.Max = b.Initial * time.Duration(rapid.IntRange(1, 1000).Draw(t, "max"))
		n := rapid.IntRange(0, math.MaxInt32).Draw(t, "n")
		if all := b.mistakes(); len(all) > 0 {
			t.Fatalf("%+v: %v", b, all)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		d := b.delay(n, rng)
		b.Jitter = 0
		full := b.delay(n, rng)
		if d < 0 || d > full || full < b.Initial-1 || full > b.Max {
			t.Fatalf("%+v: delay %d is %v, without jitter %v", b, n, d, full)
		}
	})
}

func TestBackoffJitterIsGivenBySeed(t *testing.T) {
	b := Backoff{Initial: 10 * time.Second, Jitter: 0.2}
	draw := func(seed uint64) (delays []time.Duration) {
		rng := rand.New(rand.NewPCG(seed, seed))
		for range 20 {
			delays = append(delays, b.delay(0, rng))
		}
		return delays
	}
	one, two := draw(1), draw(2)
	if !slices.Equal(one, draw(1)) || slices.Equal(one, two) {
		t.Error("jitter should depend on the seed, and on nothing else")
	}
	if slices.Min(one) < 8*time.Second || slices.Max(one) > 10*time.Second || slices.Max(one)-slices.Min(one) < time.Second {
		t.Errorf("delays are %v, want them spread over 8s to 10s", one)
	}
}

func TestBackoffReportsEveryMistakeAtOnce(t *testing.T) {
	for _, c := range []struct {
		b    Backoff
		want string
	}{
		{Backoff{Initial: -1}, "Backoff.Initial -1ns is negative"},
		{Backoff{Initial: 2, Max: 1}, "Backoff.Max 1ns is less than Backoff.Initial 2ns"},
		{Backoff{Initial: 1, Factor: 0.5}, "Backoff.Factor 0.5 is not a number from 1 on"},
		{Backoff{Initial: 1, Factor: math.NaN()}, "Backoff.Factor NaN is not a number from 1 on"},
		{Backoff{Initial: 1, Factor: math.Inf(1)}, "Backoff.Factor +Inf is not a number from 1 on"},
		{Backoff{Initial: 1, Jitter: 1.1}, "Backoff.Jitter 1.1 is not between 0 and 1"},
		{Backoff{Initial: 1, Jitter: math.NaN()}, "Backoff.Jitter NaN is not between 0 and 1"},
		{Backoff{Jitter: 0.5}, "Backoff without Initial"},
		{Backoff{Initial: 1, Factor: -1, Jitter: -1, ResetAfter: -1},
			"Backoff.Factor -1 is not a number from 1 on; Backoff.Jitter -1 is not between 0 and 1; Backoff.ResetAfter -1ns is negative"},
	} {
		if got := strings.Join(c.b.mistakes(), "; "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.b, got, c.want)
		}
	}
}
