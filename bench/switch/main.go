// Switch changes a cluster's topology under load and looks for messages that are lost,
// reordered or held up.
//
//	go run ./bench/switch [-rate 50000] [-phase 5s] [-rounds 1] [-nodes 5]
//
// The nodes are operating-system processes with default settings, connected over
// loopback. From every node to every other one go acknowledged messages, numbered for
// each pair, at -rate a second in all. After a phase without a change, for comparison,
// the lowest node changes the topology from fullmesh to hyparview, clientserver,
// gossip and back to fullmesh, a phase each, -rounds times.
//
// The last line is JSON. Rate is what has arrived in a second during the changes, a
// switch counts when all nodes have taken it up by the end of its phase, lost is what
// was sent and has not arrived when nothing more comes, reordered what came after a
// later one, or once more; a pause is the longest time between two arrivals of a pair in a
// phase with a change, over all pairs and those phases.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

func main() { crowd.Main("switch", run) }

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("switch", flag.ContinueOnError)
	rate := flags.Int("rate", 50000, "how many messages a second between all nodes together")
	phase := flags.Duration("phase", 5*time.Second, "how long each topology stays")
	rounds := flags.Int("rounds", 1, "how often to go through all topologies")
	nodes := flags.Int("nodes", 5, "how many nodes, at least 3")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	pairs := *nodes * (*nodes - 1)
	if *nodes < 3 || *rounds < 1 || *phase <= 0 || *rate < pairs {
		return fmt.Errorf("-nodes %d, -rounds %d, -phase %v, -rate %d: at least 3, 1, some time, and a message a second for each of %d pairs",
			*nodes, *rounds, *phase, *rate, pairs)
	}
	d, err := newDirector(*nodes, *rate, *phase, out)
	if err != nil {
		return err
	}
	defer d.crowd.End()
	r, err := d.run(ctx, *rounds)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}
