// Memberlist measures the failure detector of hashicorp/memberlist, in its default
// configuration for a local network, over a network in memory that loses and
// delays packets. It runs in a bubble of testing/synctest: the nodes run as they
// are, with all their goroutines and timers, but nobody waits for time to pass.
// It imports nothing of Topos but package trial, which is linked and imports
// nothing but the standard library.
//
//	memberlist -loss 0.05 -nodes 100 -trials 40
//
// prints one JSON object, a [trial.Result]. With -interval, nodes probe that often
// and wait half of it for an answer, as by default; with -suspicion,
// that is its SuspicionMult.
package main

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/topos-go/topos/bench/peers/memberlist/trial"
)

func main() {
	var p trial.Plan
	testing.Init()
	flag.IntVar(&p.Nodes, "nodes", 100, "how many nodes")
	flag.IntVar(&p.Trials, "trials", 40, "how many of them fall silent")
	flag.DurationVar(&p.Quiet, "quiet", 10*time.Minute, "how long none does first")
	flag.DurationVar(&p.Pause, "pause", 30*time.Second, "how long none does after each")
	flag.Uint64Var(&p.Seed, "seed", 1, "what is drawn from")
	loss := flag.Float64("loss", 0, "how many of all packets are lost")
	least := flag.Duration("least", time.Millisecond, "the least time that a packet takes")
	most := flag.Duration("most", 5*time.Millisecond, "the most")
	interval := flag.Duration("interval", 0, "memberlist's ProbeInterval, if not its default")
	suspicion := flag.Int("suspicion", 0, "memberlist's SuspicionMult, if not its default")
	flag.Parse()
	config := func() *memberlist.Config {
		c := memberlist.DefaultLANConfig()
		if *interval > 0 {
			c.ProbeInterval, c.ProbeTimeout = *interval, *interval/2
		}
		if *suspicion > 0 {
			c.SuspicionMult = *suspicion
		}
		return c
	}
	// Only a test can make a bubble. What package testing says of it is not the
	// result.
	out := os.Stdout
	os.Stdout = os.Stderr
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "Bubble", F: func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			network := newNetwork(*loss, *least, *most-*least, p.Seed)
			r, err := measure(p, network, config)
			if err == nil {
				err = json.NewEncoder(out).Encode(r)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}}}, nil, nil)
}

func measure(p trial.Plan, network *network, config func() *memberlist.Config) (r trial.Result, err error) {
	g, err := newGroup(p.Nodes, network, config)
	if err != nil {
		return r, err
	}
	defer g.end()
	return trial.Measure(p, g, network.book)
}
