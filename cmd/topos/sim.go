package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/topos-go/topos/internal/sim"
)

const simLong = `Simulates many nodes that run the protocols of a real one: one seed, one course of
events, on however many processors.

Nodes join and settle, broadcasts are measured, a part of the nodes crashes at
once, broadcasts are measured at once; then come churn and partitions, if there
are any, and then nothing goes wrong any more: everything must become sound.

The first line has the seed and the rates of faults, the last one the result as
JSON. The exit status is 1 if anything was not as it must be.

With -directory every node runs all protocols of a real one, and all must know the
same members. That costs memory and time with the square of the nodes: hundreds take
seconds.`

func newSim() *cobra.Command {
	var cfg sim.Config
	var topology, transcript string
	var fuzz bool
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Simulate a cluster with faults, and check it",
		Long:  simLong,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: sim takes no arguments, but has %q", errUsage, args)
			}
			return nil
		},
	}
	simFlags(cmd, &cfg, &topology, &transcript, &fuzz)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg.Topology = sim.Topology(topology)
		if fuzz {
			cfg = sim.Fuzz(cfg.Seed, cfg.Nodes)
		}
		if cfg.Faults.Silent > 0 && cfg.Notice == "" {
			cfg.Notice = sim.Silence
		}
		if err := cfg.Valid(); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return simulate(cmd, cfg, transcript)
	}
	return cmd
}

func simFlags(cmd *cobra.Command, cfg *sim.Config, topology, transcript *string, fuzz *bool) {
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&cfg.Nodes, "nodes", sim.DefaultNodes, "how many nodes join")
	f.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything that is random")
	f.Float64Var(&cfg.Kill, "kill", 0, "fraction of the nodes that crash at once")
	f.StringVar((*string)(&cfg.Notice), "notice", "", "how others learn of that crash: send (when they send), reset (at once) or silence (never told)")
	f.IntVar(&cfg.Broadcasts, "broadcasts", sim.DefaultBroadcasts, "how many broadcasts are measured at a time")
	f.IntVar(&cfg.Before, "before", 0, "how many come before the crash; the same number by default")
	f.DurationVar(&cfg.Spacing, "spacing", 0, "time between broadcasts after the crash; all within one interval by default")
	f.IntVar(&cfg.Senders, "senders", sim.DefaultSenders, "how many random nodes send them, in turn")
	f.BoolVar(&cfg.Flood, "flood", false, "flood the broadcasts after the crash, instead of sending them over trees")
	f.IntVar(&cfg.Cycles, "cycles", sim.DefaultCycles, "how many shuffle intervals the views have to settle")
	f.StringVar(topology, "topology", string(sim.HyParView), "hyparview, fullmesh, clientserver, gossip, or static with -seeds")
	f.BoolVar(&cfg.Directory, "directory", false, "with a directory of all members, and the failure detector")
	f.BoolVar(&cfg.Causal, "causal", false, "with -directory, and links for causal broadcasts too, of which there are none")
	f.BoolVar(&cfg.XBot, "xbot", false, "optimise the latency of hyparview's links")
	f.IntVar(&cfg.Contacts, "contacts", sim.DefaultContacts, "how many random nodes each one is told of when it starts")
	f.IntVar(&cfg.Workers, "workers", 0, "among how many goroutines the nodes are divided; as many as there are processors, up to 8, by default")
	f.IntVar(&cfg.Seeds, "seeds", 0, "tell each of the first so many nodes instead, which start again after the faults")
	f.Float64Var(&cfg.Faults.Loss, "loss", 0, "fraction of messages that are lost")
	f.DurationVar(&cfg.Faults.Delay, "delay", sim.DefaultDelay, "mean time of a message on its way")
	f.Float64Var(&cfg.Faults.Jitter, "jitter", sim.DefaultJitter, "by what fraction of its least time a message may be late")
	f.Float64Var(&cfg.Faults.Duplicate, "duplicate", 0, "fraction of messages that come twice")
	f.Float64Var(&cfg.Faults.Churn, "churn", 0, "crashes, restarts, joins and leaves of each node in a minute")
	f.Float64Var(&cfg.Faults.Breaks, "breaks", 0, "connections that each node loses in a minute")
	f.Float64Var(&cfg.Faults.Partition, "partition", 0, "fraction of nodes that are cut off, half of the time")
	f.Float64Var(&cfg.Faults.Asymmetric, "asymmetric", 0, "fraction of ordered pairs that cannot reach each other one way, half of the time")
	f.Float64Var(&cfg.Faults.Silent, "silent", 0, "fraction of crashes in which the machine is gone and does not answer; alone, all")
	f.Lookup("silent").NoOptDefVal = "1"
	f.DurationVar(&cfg.FaultTime, "faults", sim.DefaultFaultTime, "how long churn, breaks and partitions last")
	f.DurationVar(&cfg.Healing, "healing", sim.DefaultHealing, "how long all may take to be sound again")
	f.BoolVar(fuzz, "fuzz", false, "random faults by the seed; of the other flags, only -nodes counts")
	f.StringVar(transcript, "transcript", "", "write every event to this `file`")
}

// result is the last line.
type result struct {
	Nodes                   int      `json:"nodes"`
	Seed                    uint64   `json:"seed"`
	Topology                string   `json:"topology"`
	XBot                    bool     `json:"xbot"`
	Directory               bool     `json:"directory"`
	Kill                    float64  `json:"kill"`
	Reliability             float64  `json:"reliability"`
	ReliabilityStable       float64  `json:"reliability_stable"`
	ReliabilityLeast        float64  `json:"reliability_least"`
	ReliabilityLate         float64  `json:"reliability_late"`
	ReliabilityAfterHealing float64  `json:"reliability_after_healing"`
	RMR                     float64  `json:"rmr"`
	RMRFlooded              float64  `json:"rmr_flooded"`
	LastHop                 float64  `json:"last_hop"`
	LastHopFlooded          float64  `json:"last_hop_flooded"`
	HealedSeconds           float64  `json:"healed_seconds"`
	HealedCycles            float64  `json:"healed_cycles"`
	AgreedSeconds           float64  `json:"agreed_seconds,omitempty"`
	Suspected               uint64   `json:"suspected,omitempty"`
	Evicted                 uint64   `json:"evicted,omitempty"`
	Events                  uint64   `json:"events"`
	SimulatedSeconds        float64  `json:"simulated_seconds"`
	Seconds                 float64  `json:"seconds"`
	CPUSeconds              float64  `json:"cpu_seconds,omitempty"`
	PeakBytes               uint64   `json:"peak_bytes,omitempty"`
	Transcript              string   `json:"transcript"`
	Stopped                 bool     `json:"stopped,omitempty"`
	Violations              []string `json:"violations"`
	MoreViolations          int      `json:"more_violations,omitempty"`
}

// simulate runs cfg and prints what comes out.
func simulate(cmd *cobra.Command, cfg sim.Config, transcript string) (err error) {
	out := cmd.OutOrStdout()
	cfg.Progress = out
	if transcript != "" {
		var file *os.File
		if file, err = os.Create(transcript); err != nil {
			return err
		}
		buffered := bufio.NewWriter(file)
		cfg.Transcript = buffered
		defer func() { err = errors.Join(err, buffered.Flush(), file.Close()) }()
	}
	preferLargePages(expected(cfg))
	// What the cores throw away is most of the memory. Collect it seldom, as
	// long as there is room.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	began := time.Now()
	report, err := sim.Run(cmd.Context(), cfg)
	took := time.Since(began)
	if _, werr := report.WriteTo(out); werr != nil {
		return werr
	}
	peak, busy := used()
	_, _ = fmt.Fprintf(out, "it took %v, %v of processors, and %d MB at most\n",
		took.Round(time.Millisecond), busy.Round(time.Millisecond), peak>>20)
	for _, v := range report.Violations {
		_, _ = fmt.Fprintf(out, "violation: %v\n", v)
	}
	return errors.Join(err, conclude(out, &report, cost{took, busy, peak}))
}

const (
	// gcPercent is by how much the heap may grow until garbage is collected.
	gcPercent = 200
	// memoryLimit is when it is collected before that: what 100,000 nodes may
	// take on a machine of 16 GiB.
	memoryLimit = 14 << 30
)

// leastLarge is what is not worth large pages.
const leastLarge = 256 << 20

// expected is about how much memory a run takes.
func expected(cfg sim.Config) uint64 {
	n := uint64(max(0, cfg.Nodes))
	if cfg.Directory {
		return n * n * 130
	}
	return n * 30_000
}

// cost is what a run has taken: time, that of processors, and memory at most.
type cost struct {
	took, busy time.Duration
	peak       uint64
}

// conclude prints the last line. It returns errFound if there are violations.
func conclude(out io.Writer, r *sim.Report, c cost) error {
	last := result{
		Nodes: r.Config.Nodes, Seed: r.Config.Seed, Topology: string(r.Config.Topology), XBot: r.Config.XBot, Directory: r.Config.Directory, Kill: r.Config.Kill,
		ReliabilityStable: r.Stable.Reliability, ReliabilityAfterHealing: r.Sound.Reliability,
		RMR: r.Stable.RMR, RMRFlooded: r.Flooded.RMR, LastHop: r.Stable.LastHop, LastHopFlooded: r.Flooded.LastHop,
		HealedSeconds: r.Healed.Connected.Seconds(), HealedCycles: sim.Cycles(r.Healed.Connected),
		Suspected: r.Suspected, Evicted: r.Evicted,
		Events: r.Events, SimulatedSeconds: r.Elapsed.Seconds(), Seconds: c.took.Seconds(),
		CPUSeconds: c.busy.Seconds(), PeakBytes: c.peak,
		Transcript: fmt.Sprintf("%016x", r.Transcript), Violations: []string{}, MoreViolations: r.Beyond, Stopped: r.Stopped,
	}
	m := &r.Stable
	if r.Config.Kill > 0 {
		m = &r.Killed
	}
	last.Reliability, last.ReliabilityLeast, last.ReliabilityLate = m.Reliability, m.Least, m.Late
	if r.Config.Directory {
		last.AgreedSeconds = r.Healed.Agreed.Seconds()
	}
	for _, v := range r.Violations {
		last.Violations = append(last.Violations, v.String())
	}
	line, err := json.Marshal(last)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
		return err
	}
	if len(r.Violations) > 0 {
		return errFound
	}
	return nil
}
