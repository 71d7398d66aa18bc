package sim

import (
	"fmt"
	"math"
	"testing"

	"github.com/topos-go/topos/overlay/clientserver"
)

// How many neighbors nodes have tells the topologies apart. Full meshes have tests of
// their own, with fewer nodes: they take longer.
func TestEachTopologyStandsCrashesAndFaults(t *testing.T) {
	const n = 40
	links := func(count float64) float64 { return 2 * count / n }
	for _, tt := range []struct {
		topology    Topology
		least, most float64
	}{
		{HyParView, 4, 5},
		// Servers are linked to each other, clients to some servers.
		{ClientServer, links(3 + (n-3)*clientserver.DefaultClientLinks), links(3 + (n-3)*3)},
		{Gossip, math.Log(n) + 1, 2 * (math.Log(n) + 2)},
		{Static, links(3 + (n-3)*3), links(3 + (n-3)*3)},
	} {
		for _, directory := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/directory-%v", tt.topology, directory), func(t *testing.T) {
				t.Parallel()
				cfg := busy(6)
				cfg.Topology, cfg.XBot, cfg.Directory = tt.topology, false, directory
				cfg.Nodes, cfg.Seeds, cfg.Kill = n, 3, 0.3
				calm := cfg
				calm.Faults, calm.Kill = Faults{}, 0
				if r := play(t, calm); r.Degree < tt.least || r.Degree > tt.most {
					t.Errorf("%.2f neighbors each, not %.2f to %.2f", r.Degree, tt.least, tt.most)
				}
				if r := play(t, cfg); r.Sound.Late != 1 {
					t.Errorf("healed: %v", r.Sound)
				}
			})
		}
	}
}
