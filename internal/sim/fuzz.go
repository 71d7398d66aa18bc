package sim

import (
	"math/rand/v2"
	"time"
)

// Fuzz returns a Config of about that many nodes, with faults that follow from
// the seed. Most runs have a few kinds of them, and each kind a rate of its own:
// with all at once, one hides the other.
func Fuzz(seed uint64, nodes int) Config {
	rng := rand.New(rand.NewPCG(seed, 0x66757a7a))
	some := func(most float64) float64 {
		if rng.IntN(2) == 0 {
			return 0
		}
		return most * rng.Float64()
	}
	c := Config{
		Seed:       seed,
		Nodes:      max(2, nodes/2+rng.IntN(nodes/2+1)),
		XBot:       rng.IntN(3) == 0,
		Seeds:      3,
		Cycles:     1 + rng.IntN(4),
		Broadcasts: 5 + rng.IntN(15),
		Kill:       some(0.7),
		Notice:     []Notice{OnSend, Reset, Silence}[rng.IntN(3)],
		FaultTime:  time.Duration(40+rng.IntN(80)) * time.Second,
		Retain:     time.Hour,
		Healing:    time.Hour / 2,
		Faults: Faults{
			Loss:       some(0.1),
			Duplicate:  some(0.1),
			Delay:      time.Duration(1+rng.IntN(100)) * time.Millisecond,
			Jitter:     3 * rng.Float64(),
			Churn:      some(3),
			Breaks:     some(5),
			Silent:     some(1),
			Partition:  some(0.6),
			Asymmetric: some(0.3),
		},
	}
	if rng.IntN(4) == 0 {
		c.Topology = FullMesh
	}
	c.Directory = rng.IntN(3) == 0
	c.Causal = c.Directory && rng.IntN(2) == 0
	if c.Topology == "" && rng.IntN(2) == 0 {
		c.Topology = []Topology{ClientServer, Gossip, Static}[rng.IntN(3)]
	}
	if c.Topology != "" {
		c.XBot = false
	}
	c.Nodes = min(c.Nodes, c.Topology.most())
	return c
}
