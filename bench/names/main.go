// Names measures how long a registration takes to be known on all nodes.
//
//	go run ./bench/names [-names 2000] [-rate 200] [-nodes 5]
//
// The nodes are operating-system processes with default settings, connected over
// loopback. By turns, rate times a second, each spawns a process under a cluster
// name. What is measured is the time from just before the spawn until the last of all
// nodes has seen the name: on each, somebody waits for it with Await. The clock is the
// machine's, the same for all.
//
// The last line is JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/topos-go/topos/internal/crowd"
)

func main() { crowd.Main("names", run) }

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("names", flag.ContinueOnError)
	names := flags.Int("names", 2000, "how many names are registered")
	rate := flags.Int("rate", 200, "how many a second")
	nodes := flags.Int("nodes", 5, "how many nodes, at least 2")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *nodes < 2 || *names < 1 || *rate < 1 {
		return fmt.Errorf("-nodes %d, -names %d, -rate %d: it takes 2 nodes, a name and a rate", *nodes, *names, *rate)
	}
	r, err := direct(ctx, plan{Nodes: *nodes, Names: *names, Rate: *rate}, out)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}
