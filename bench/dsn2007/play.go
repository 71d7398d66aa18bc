package main

import (
	"cmp"
	"math/rand/v2"
)

// result is what came of a run, in the words of "topos sim".
type result struct {
	Nodes   int     `json:"nodes"`
	Seed    uint64  `json:"seed"`
	Kill    float64 `json:"kill"`
	Senders int     `json:"senders"`
	Every   int     `json:"every"`
	Reading string  `json:"reading"`
	// Reliability is the mean share of the live nodes that got a broadcast after the failures, Least
	// the smallest one, Healed the mean after healing.
	Reliability float64 `json:"reliability"`
	Least       float64 `json:"reliability_least"`
	Healed      float64 `json:"reliability_after_healing"`
}

// play is the experiment.
func play(s settings) result {
	w := newWorld(s.nodes, s.reading == favorable, rand.New(rand.NewPCG(s.seed, 2007)))
	for range s.cycles {
		w.cycle()
	}
	w.fail(int(s.kill * float64(s.nodes)))
	r := result{Nodes: s.nodes, Seed: s.seed, Kill: s.kill, Senders: s.senders, Every: s.every, Reading: s.reading}
	r.Reliability, r.Least = w.measure(s)
	for range s.heal {
		w.cycle()
	}
	r.Healed, _ = w.measure(s)
	return r
}

// measure floods broadcasts of senders that are drawn at random, and returns the mean and the
// least share of the live nodes that they reach.
func (w *world) measure(s settings) (mean, least float64) {
	senders := make([]int32, cmp.Or(s.senders, s.broadcasts))
	for i := range senders {
		senders[i] = w.live[w.rng.IntN(len(w.live))]
	}
	least = 1
	for i := range s.broadcasts {
		share := w.flood(senders[i%len(senders)])
		mean, least = mean+share, min(least, share)
		if s.every > 0 && (i+1)%s.every == 0 {
			w.cycle()
		}
	}
	return mean / float64(s.broadcasts), least
}
