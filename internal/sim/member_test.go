package sim

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// together is a few nodes with a directory.
func together(seed uint64) Config {
	return Config{Nodes: 40, Seed: seed, Directory: true, Cycles: 3, Broadcasts: 5, Kill: 0.5}
}

func TestAllKnowTheMembersAgainAfterMassCrash(t *testing.T) {
	for _, notice := range []Notice{OnSend, Reset, Silence} {
		t.Run(string(notice), func(t *testing.T) {
			t.Parallel()
			cfg := together(1)
			cfg.Notice, cfg.Causal = notice, notice == Reset
			r := play(t, cfg)
			if r.Healed.Agreed <= 0 || r.Healed.Agreed > 2*time.Minute {
				t.Errorf("all know the members after %v", r.Healed.Agreed)
			}
			if r.Stable.Reliability != 1 || r.Sound.Reliability != 1 || r.Stable.LastHop < 2 || r.Stable.RMR < 0 {
				t.Errorf("stable %v; healed %v", r.Stable, r.Sound)
			}
			if r.Evicted > 0 && notice != Silence {
				t.Errorf("live nodes were taken for dead %d times", r.Evicted)
			}
		})
	}
}

func TestFullMeshWithADirectoryStandsChurn(t *testing.T) {
	t.Parallel()
	cfg := together(2)
	cfg.Topology, cfg.Nodes, cfg.Kill, cfg.Seeds = FullMesh, 12, 0, 2
	cfg.Faults, cfg.FaultTime = Faults{Churn: 3, Loss: 0.01, Partition: 0.3}, 2*partitionPeriod
	if r := play(t, cfg); r.Suspected == 0 {
		t.Error("nobody was suspected where messages are lost")
	}
}

func TestDirectoryIsInTheTranscriptOfItsSeed(t *testing.T) {
	t.Parallel()
	write := func() (string, uint64) {
		var text bytes.Buffer
		cfg := together(3)
		cfg.Transcript = &text
		r := play(t, cfg)
		return text.String(), r.Transcript
	}
	one, hash := write()
	if !strings.Contains(one, "directory.Ask{") || !strings.Contains(one, "swim.Message{") {
		t.Error("nothing of a directory is in the transcript")
	}
	if again, second := write(); again != one || second != hash {
		t.Errorf("the same seed gives %016x and %016x", hash, second)
	}
	cfg := together(3)
	cfg.Directory = false
	if play(t, cfg).Transcript == hash {
		t.Error("it is the same without a directory")
	}
}

// What a node may be told of a member that is none, or of one that it has: each is
// found by its checker.
func TestCheckersOfMembersCatchWhatIsSabotaged(t *testing.T) {
	fallen := func(w *world, ago time.Duration) int32 {
		for i := range w.nodes {
			if w.nodes[i].state == dead {
				w.nodes[i].since = w.now - int64(ago)
				return int32(i)
			}
		}
		return -1
	}
	alive := func(w *world, not int32) int32 {
		for i := range w.nodes {
			if w.nodes[i].state == live && int32(i) != not {
				return int32(i)
			}
		}
		return -1
	}
	for _, tt := range []struct {
		checker, says string
		sabotage      func(w *world)
	}{
		{"gone", "for a member, which is dead", func(w *world) {
			w.nodes[alive(w, -1)].hold(fallen(w, goneAfter+time.Minute))
		}},
		{"member", "18 of 19 live nodes are members, and 0 others", func(w *world) {
			i := alive(w, -1)
			w.memberDown(i, w.nodes[alive(w, i)].self, overlay.ErrSilent)
		}},
		{"member", "19 of 19 live nodes are members, and 1 others", func(w *world) {
			w.memberUp(alive(w, -1), w.nodes[fallen(w, time.Second)].self)
		}},
		{"member", "is down, but was not up", func(w *world) {
			w.memberDown(alive(w, -1), w.nodes[fallen(w, time.Second)].self, overlay.ErrSilent)
		}},
		{"member", "is up, but was already", func(w *world) {
			i := alive(w, -1)
			w.memberUp(i, w.nodes[alive(w, i)].self)
		}},
		{"member", "is down, but lives", func(w *world) {
			i := alive(w, -1)
			w.calm = true
			w.memberDown(i, w.nodes[alive(w, i)].self, overlay.ErrSilent)
		}},
		{"member", "lists other members than it has told of", func(w *world) {
			gone := fallen(w, time.Second) // all are told that it lives, but no directory is
			w.nodes[gone].state = live
			w.living++
			for k := range w.nodes {
				if n := &w.nodes[k]; n.state == live && int32(k) != gone {
					n.hold(gone)
					n.ups++
				}
			}
			w.demand([]checker{{"member", checkMembers}})
			w.nodes[gone].state = dead // before it is given anything to do
			w.living--
		}},
	} {
		t.Run(tt.checker+" "+tt.says, func(t *testing.T) {
			t.Parallel()
			cfg := together(1)
			cfg.sabotage = tt.sabotage
			r, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations {
				if v.Checker == tt.checker && strings.Contains(v.What, tt.says) {
					return
				}
			}
			t.Errorf("nobody has noticed: %v", r.Violations)
		})
	}
}
