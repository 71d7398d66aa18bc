package gossip

import (
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

var epoch = topology.Epoch()

// world is one of cores that cfg configures, at each place.
type world struct {
	*topology.World[*Core]
	cfg func(i int) Config // without Self, Rand
}

func newWorld(t testing.TB, seed uint64, n int, cfg func(i int) Config) *world {
	return &world{topology.NewWorld(t, seed, n, protocol(cfg)), cfg}
}

// protocol says which cores there are.
func protocol(cfg func(i int) Config) topology.Protocol[*Core] {
	return topology.Protocol[*Core]{
		New: func(i int, self overlay.Node, rng *rand.Rand) (*Core, error) {
			cfg := cfg(i)
			cfg.Self, cfg.Rand = self, rng
			return New(cfg)
		},
		Valid: (*Core).valid,
		Say:   describeMessage,
		Hear:  message,
	}
}
