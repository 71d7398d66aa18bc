// Package delay says how long to wait: longer after each attempt in vain, and never
// as long as the others, so that many nodes that begin together do not go on together.
//
// It is for protocols whose randomness comes from a seed, to be replayed by it, and
// whose clock is not theirs; libraries that back off have both inside.
//
//	for attempts := 0; !dial(); attempts++ {
//		sleep(delay.Backoff(rng, 100*time.Millisecond, 20*time.Second, attempts))
//	}
package delay

import (
	"math/rand/v2"
	"time"
)

// Backoff returns how long to wait after attempts in vain: between half and all of
// shortest, doubled for each of them, but of no more than longest. Neither may be
// negative, nor attempts.
func Backoff(rng *rand.Rand, shortest, longest time.Duration, attempts int) time.Duration {
	d := longest
	if shortest == 0 || attempts < 63 && shortest <= longest>>attempts {
		d = shortest << attempts
	}
	return d/2 + time.Duration(rng.Int64N(int64(d/2)+1))
}

// Jitter returns a time between half of mean and one and a half of it, which is mean
// on average. mean must not be negative.
func Jitter(rng *rand.Rand, mean time.Duration) time.Duration {
	return mean/2 + time.Duration(rng.Int64N(int64(mean)+1))
}
