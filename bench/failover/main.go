// Failover measures how long a placed child answers nobody when its node is lost.
//
//	go run ./bench/failover [-trials 20] [-stop] [-nodes 5] [-seed 1] [-rest 0s]
//
// The nodes are operating-system processes with default settings, connected over
// loopback. Children are counters under cluster names, one for each node to own. In
// every trial another node is the victim: a client on its neighbor calls the victim's
// child all the time, the victim is killed by SIGKILL (with -stop, stopped by SIGSTOP)
// at a random moment, and the time until the first call that another owner has
// answered is measured. Then the victim is started again (goes on), and when
// all nodes agree again every instance that was ever started is called directly:
// more than one that answers is a double owner.
//
// A failure detector that has just seen a loss is more careful for a while, so losses
// that follow each other closely take longer; with -rest there is peace in between.
//
// The last line is JSON. Lost are trials without an answer within 30 s.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/topos-go/topos/internal/crowd"
)

func main() { crowd.Main("failover", run) }

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("failover", flag.ContinueOnError)
	trials := flags.Int("trials", 20, "how often a node is lost")
	stop := flags.Bool("stop", false, "stop processes instead of killing them")
	nodes := flags.Int("nodes", 5, "how many nodes, at least 3")
	seed := flags.Uint64("seed", 1, "when in a trial the node is lost")
	rest := flags.Duration("rest", 0, "how long the nodes are left in peace between trials")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *nodes < 3 || *trials < 1 {
		return fmt.Errorf("-nodes %d, -trials %d: it takes 3 nodes, for a side that goes on, and a trial", *nodes, *trials)
	}
	d, err := newDirector(*nodes, *stop, *seed, out)
	if err != nil {
		return err
	}
	defer d.crowd.End()
	d.peace = *rest
	r, err := d.run(ctx, *trials)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}
