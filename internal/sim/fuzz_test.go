package sim

import (
	"fmt"
	"testing"
)

// play runs cfg and fails the test if anything is not as it must be.
func play(t *testing.T, cfg Config) Report {
	t.Helper()
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("seed %d, %d nodes: %v", cfg.Seed, cfg.Nodes, v)
	}
	return r
}

func TestFaultsOfManyKindsLeaveNoHarm(t *testing.T) {
	for seed := range uint64(32) {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			t.Parallel()
			cfg := Fuzz(seed, 20+int(seed))
			cfg.Workers, cfg.fewest = 1+int(seed%3), 1
			r := play(t, cfg)
			if cfg.Workers == 3 {
				cfg.Workers = 1
				if alone := play(t, cfg); alone.Transcript != r.Transcript {
					t.Error("three workers have another course of events than one")
				}
			}
			t.Logf("%d nodes %s X-BOT %v directory %v kill %.2f: %d events, %v", r.Config.Nodes, r.Config.Topology, r.Config.XBot, r.Config.Directory, r.Config.Kill, r.Events, r.Config.Faults)
		})
	}
}
