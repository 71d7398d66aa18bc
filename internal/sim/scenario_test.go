package sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Section 5.2 of the paper: reliability after failures, and after healing.
func TestClusterHealsAfterMassCrash(t *testing.T) {
	for _, tt := range []struct {
		nodes  int
		kill   float64
		notice Notice
		flood  bool
		late   float64 // reliability of the second half, at once after the crash
	}{
		{200, 0.3, OnSend, false, 0.99},
		{200, 0.6, Reset, true, 0.99},
		{400, 0.8, OnSend, true, 0.9},
		{200, 0.5, Silence, false, 0.5},
	} {
		t.Run(string(tt.notice), func(t *testing.T) {
			t.Parallel()
			r := play(t, Config{
				Nodes: tt.nodes, Seed: 1, Cycles: 6, Broadcasts: 20, Kill: tt.kill, Notice: tt.notice, Flood: tt.flood,
			})
			t.Logf("kill %.1f: %v; healed after %v", tt.kill, r.Killed, r.Healed)
			if r.Stable.Reliability != 1 || r.Flooded.Reliability != 1 || r.Sound.Late != 1 {
				t.Errorf("reliability is %v when stable, %v flooded, %v when healed", r.Stable, r.Flooded, r.Sound)
			}
			if r.Killed.Late < tt.late {
				t.Errorf("reliability of the later broadcasts after the crash is %v", r.Killed.Late)
			}
			if r.Healed.Connected <= 0 || r.Healed.Connected > 2*time.Minute || r.Healed.Clean <= 0 {
				t.Errorf("healed after %+v", r.Healed)
			}
			if want := tt.nodes - int(tt.kill*float64(tt.nodes)); r.Living != want {
				t.Errorf("%d nodes live at last, not %d", r.Living, want)
			}
		})
	}
}

// The paper on plumtree, section 4.2: one sender, the tree is as good as
// flooding, at no redundancy.
func TestTreeOfOneSenderCostsNothingAndIsAsShort(t *testing.T) {
	t.Parallel()
	r := play(t, Config{Nodes: 300, Seed: 2, Cycles: 40, Broadcasts: 30, Senders: 1})
	if r.Stable.RMR > 0.05 || r.Stable.RMR < 0 {
		t.Errorf("RMR %v", r.Stable.RMR)
	}
	if r.Flooded.RMR < 2.5 {
		t.Errorf("RMR of flooding is %v: the paper has the fanout less one", r.Flooded.RMR)
	}
	if r.Stable.LastHop > 2*r.Flooded.LastHop {
		t.Errorf("last hop %v, flooding has %v", r.Stable.LastHop, r.Flooded.LastHop)
	}
}

func TestXBotBringsNeighborsNearer(t *testing.T) {
	t.Parallel()
	cfg := Config{Nodes: 120, Seed: 3, Cycles: 20, Broadcasts: 3}
	far := play(t, cfg)
	cfg.XBot = true
	near := play(t, cfg)
	t.Logf("neighbors are %v from each other, with X-BOT %v", far.Cost, near.Cost)
	if near.Cost > far.Cost*3/4 {
		t.Errorf("neighbors are %v from each other, with X-BOT %v", far.Cost, near.Cost)
	}
}

func TestFullMeshOfFewNodesStandsFaults(t *testing.T) {
	t.Parallel()
	cfg := busy(4)
	cfg.Topology, cfg.XBot, cfg.Nodes = FullMesh, false, 12
	r := play(t, cfg)
	if r.Degree != 11 {
		t.Errorf("%v neighbors each", r.Degree)
	}
}

func TestFaultsHappenAsOftenAsTheirRatesSay(t *testing.T) {
	t.Parallel()
	r := play(t, Config{Nodes: 100, Seed: 5, Cycles: 5, Broadcasts: 5, Faults: Faults{Loss: 0.1, Duplicate: 0.05}})
	// There are none any more after healing, for the last third of the messages.
	sent := float64(r.Sent)
	if lost := float64(r.Lost) / sent; lost < 0.05 || lost > 0.1 {
		t.Errorf("%v of the messages are lost", lost)
	}
	if doubled := float64(r.Doubled) / sent; doubled < 0.025 || doubled > 0.05 {
		t.Errorf("%v of the messages come twice", doubled)
	}
}

func TestContextEndsRunBeforeItIsComplete(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Run(ctx, Config{Nodes: 50})
	if !errors.Is(err, context.Canceled) || !r.Stopped || len(r.Violations) != 0 {
		t.Errorf("%v, stopped %v, %v", err, r.Stopped, r.Violations)
	}
}

func TestConfigReportsAllMistakesAtOnce(t *testing.T) {
	_, err := Run(t.Context(), Config{
		Nodes: 1, Topology: "ring", Notice: "letter", Kill: 1, Contacts: 99, Cycles: -1, Broadcasts: maxBroadcasts + 1,
		Retain: time.Second, Faults: Faults{Loss: 2, Delay: time.Hour},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, what := range []string{"Nodes 1", `"ring"`, `"letter"`, "Kill 1", "Contacts 99", "Cycles -1", "Broadcasts 10001", "Retain", "Loss 2", "Delay"} {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%q does not mention %q", err, what)
		}
	}
}
