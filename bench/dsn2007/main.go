// Dsn2007 plays HyParView as its paper has it, to have something to hold ours against: the
// algorithm as published (Leitão, Pereira and Rodrigues, DSN 2007, section 4), measured as there
// (section 5). Nodes join one by one through the first, take 50 cycles to settle, a part fails
// at once, and 1,000 broadcasts follow, each flooded over the active views before the next
// begins. Failures are noticed by who sends to a failed node, or wants to.
//
//	go run ./bench/dsn2007 -kill 0.8
//
// Messages take no time and are not lost, as in the cycles of the simulator that the paper
// used. What it leaves open, as far as is known here, is read in two ways:
//
//   - favorable: who is asked to be a neighbor looks first which of its own have failed, and
//     who takes a failed one's place is sent the broadcast.
//   - strict: neither.
//
// In both, who is dropped looks for another neighbor at once, who lacks several looks for all of
// them, and does so in each cycle; a shuffle walks as far as a join; each broadcast has a
// sender of its own, drawn among those that live.
// The last line has the fields of "topos sim", as far as they mean something here.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dsn2007:", err)
		os.Exit(1)
	}
}

var (
	errSettings = errors.New("there must be two nodes that live, broadcasts, and no negative number of senders or cycles")
	errReading  = errors.New("there is no such reading")
)

// The readings of the paper.
const (
	favorable = "favorable"
	strict    = "strict"
)

// settings are those of a run.
type settings struct {
	nodes, cycles, broadcasts, senders, every, heal int
	kill                                            float64
	reading                                         string
	seed                                            uint64
}

func (s *settings) valid() error {
	if live := s.nodes - int(s.kill*float64(s.nodes)); s.kill < 0 || live < 2 || s.broadcasts < 1 ||
		min(s.senders, s.cycles, s.every, s.heal) < 0 {
		return errSettings
	}
	if s.reading != favorable && s.reading != strict {
		return fmt.Errorf("%w: %q", errReading, s.reading)
	}
	return nil
}

func run(args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("dsn2007", flag.ContinueOnError)
	flags.IntVar(&s.nodes, "nodes", 10000, "nodes that join")
	flags.IntVar(&s.cycles, "cycles", 50, "cycles before the failures")
	flags.Float64Var(&s.kill, "kill", 0.5, "share of the nodes that fail at once")
	flags.IntVar(&s.broadcasts, "broadcasts", 1000, "broadcasts after the failures, and again after healing")
	flags.IntVar(&s.senders, "senders", 0, "nodes that broadcast in turn, drawn at random; 0: each time another one")
	flags.IntVar(&s.every, "every", 0, "broadcasts between two cycles; 0: there are no cycles while they are counted, as in the paper")
	flags.IntVar(&s.heal, "heal", 50, "cycles of healing")
	flags.StringVar(&s.reading, "reading", favorable, "how what is open is read: "+favorable+" or "+strict)
	flags.Uint64Var(&s.seed, "seed", 1, "what all chance comes from")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := s.valid(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(play(s))
}
