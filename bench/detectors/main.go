// Detectors puts the failure detector of Topos beside that of hashicorp/memberlist,
// in the same setting: nodes on a network in memory that delays all packets and
// loses some. Streams lose nothing.
//
//	go run ./bench/detectors [-nodes 100] [-trials 40] [-quiet 10m] [-side topos] [-quick]
//
// Ten minutes of quiet come first, and then one node after the other falls silent:
// nothing comes from it, and nothing reaches or refuses it. A new one takes its
// place. All of it is in virtual time. Topos is the protocols of package
// overlay/cluster, with HyParView, in a simulation; "swim alone" has only package
// overlay/swim, all of whose messages are datagrams. Memberlist is a program of its
// own, which runs it as it is in a bubble of testing/synctest: in its default
// configuration for a local network, with our interval, and with half of its
// suspicion, too, which is then at least as long as ours.
//
// Bytes are those that the libraries hand to the network: no headers of IP, UDP or
// TCP, no TLS, and not what it takes to make a connection. The heartbeats of Topos'
// connections, and what they find out, are not among it.
//
// The last line is JSON:
//
//	{"rows":[{"name","loss","interval_ms","suspected":{"p50","p99","max"},"first","all", ...}]}
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/topos-go/topos/bench/detectors/trial"
	"github.com/topos-go/topos/overlay/swim"
)

// period is how often a node of Topos probes another.
const period = swim.DefaultPeriod

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "detectors:", err)
		os.Exit(1)
	}
}

// row is a line of the table.
type row struct {
	Name     string  `json:"name"`
	Loss     float64 `json:"loss"`
	Interval float64 `json:"interval_ms"`
	trial.Result
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("detectors", flag.ContinueOnError)
	p := trial.Plan{Pause: 30 * time.Second}
	s := setting{least: time.Millisecond, most: 5 * time.Millisecond}
	flags.IntVar(&p.Nodes, "nodes", 100, "how many nodes")
	flags.IntVar(&p.Trials, "trials", 40, "how many of them fall silent")
	flags.DurationVar(&p.Quiet, "quiet", 10*time.Minute, "how long none does first")
	flags.Uint64Var(&p.Seed, "seed", 1, "what is drawn from")
	only := flags.String("side", "", "only those whose names begin so")
	quick := flags.Bool("quick", false, "20 nodes, 5 trials, one minute")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		p.Nodes, p.Trials, p.Quiet = 20, 5, time.Minute
	}
	if p.Nodes < 5 || p.Nodes > 1000 || p.Trials < 1 || p.Quiet <= 0 {
		return errors.New("-nodes must be 5 to 1000, -trials and -quiet positive")
	}
	s.nodes, s.seed = p.Nodes, p.Seed
	dir, err := os.MkdirTemp("", "topos-detectors-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	theirs, err := peers(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d nodes, %v to %v a message; %v of quiet, then %d fall silent; %s\n\n",
		p.Nodes, s.least, s.most, p.Quiet, p.Trials, runtime.Version())
	chosen := slices.DeleteFunc(append(ours(), theirs...), func(s side) bool { return !strings.HasPrefix(s.name, *only) })
	if len(chosen) == 0 {
		return fmt.Errorf("no side begins with %q", *only)
	}
	rows, err := measure(ctx, s, p, chosen)
	if err != nil {
		return err
	}
	if err := table(out, rows); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]any{"rows": rows})
}

// losses are the settings that differ.
var losses = [...]float64{0, .05}

// measure measures all sides, as many at a time as there are cores: none of them
// looks at a clock.
func measure(ctx context.Context, s setting, p trial.Plan, sides []side) ([]row, error) {
	rows := make([]row, len(losses)*len(sides))
	errs := make([]error, len(rows))
	var turn atomic.Int64
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(turn.Add(1)) - 1
				if i >= len(rows) {
					return
				}
				side, s := sides[i%len(sides)], s
				s.loss = losses[i/len(sides)]
				r, err := side.measure(ctx, s, p)
				if err != nil {
					errs[i] = fmt.Errorf("%s: %w", side.name, err)
				}
				rows[i] = row{side.name, s.loss, float64(side.interval.Milliseconds()), r}
			}
		})
	}
	wg.Wait()
	return rows, errors.Join(append(errs, ctx.Err())...)
}

func table(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "loss\tdetector\tprobes every\tsuspected p50, p99\tfirst verdict p50, p99\tverdict of all p50, p99\tmissed\t"+
		"suspected in quiet\tdeclared dead\tlater\tB/s a node\tmsg/s\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%g %%\t%s\t%g ms\t%v\t%v\t%v\t%d\t%d\t%d\t%d\t%.0f\t%.1f\t\n", 100*r.Loss, r.Name, r.Interval,
			seconds(r.Suspected), seconds(r.First), seconds(r.All), r.Missed, r.Accused, r.Wrong, r.WrongLater, r.Bytes, r.Messages)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func seconds(t trial.Times) string { return fmt.Sprintf("%.2f, %.2f s", t.P50, t.P99) }
