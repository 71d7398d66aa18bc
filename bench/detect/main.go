// Detect measures how soon the nodes of a cluster know that one of them is lost.
//
//	go run ./bench/detect [-trials 20] [-nodes 5] [-seed 1] [-rest 0s]
//
// The nodes are operating-system processes with default settings, connected over
// loopback. In every trial another one is killed by SIGKILL at a random moment, and
// each of the others tells when its subscription said that the node is down; then the
// process is started again. As many trials follow in which it is stopped by
// SIGSTOP and goes on when all others know. All times of a kind are pooled.
//
// A failure detector that has just seen a loss is more careful for a while, so losses
// that follow each other closely take longer; with -rest there is peace in between.
//
// The last line is JSON. A false positive is a node said to be down, by one that was
// not stopped itself, that was neither killed nor stopped in this trial, or said so
// again after it was back. What the woken node itself says of the others, which have
// given it up, is printed apart.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/topos-go/topos/internal/crowd"
)

func main() { crowd.Main("detect", run) }

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("detect", flag.ContinueOnError)
	trials := flags.Int("trials", 20, "how often a node is killed, and how often one is stopped")
	nodes := flags.Int("nodes", 5, "how many nodes, at least 3")
	seed := flags.Uint64("seed", 1, "when in a trial the node is lost")
	rest := flags.Duration("rest", 0, "how long the nodes are left in peace between trials")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *nodes < 3 || *trials < 1 {
		return fmt.Errorf("-nodes %d, -trials %d: it takes 3 nodes, to agree on a loss, and a trial", *nodes, *trials)
	}
	d, err := newDirector(*nodes, *seed, out)
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
