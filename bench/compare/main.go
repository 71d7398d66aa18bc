// Compare does the same work with Topos, with bare Go (the floor) and with
// other actor libraries (the peers), in one run, and prints the figures side by
// side.
//
//	go run ./bench/compare [-quick] [-rounds 5] [-works tell,call]
//	go run ./bench/compare -remote [-quick] [-rounds 5] [-works oneway,request] [-profile dir]
//
// With -remote the works are between two processes on loopback; see package
// pair. A side that hangs, dies or loses messages is reported, and has no figure
// or one that counts only what arrived.
//
// Every measurement is made in a fresh process, and the sides take turns, so
// that neither a warm heap nor a busy neighbour favours one of them. The figures
// are medians over the rounds. The last line is one JSON object:
//
//	{"rows":[{"work","unit","topos","floor","peer","peer_name"}]}
//
// in which peer is the best of the peers, and null where none could be measured.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/topos-go/topos/bench/floor"
	"github.com/topos-go/topos/bench/pair"
	"github.com/topos-go/topos/bench/works"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run() error {
	quick := flag.Bool("quick", false, "fewer and smaller rounds; ends within a minute, with -remote within two")
	rounds := flag.Int("rounds", 5, "how many rounds")
	only := flag.String("works", "", "comma-separated works; all by default")
	remote := flag.Bool("remote", false, "works between two processes")
	chosen := flag.String("sides", "", "with -remote: comma-separated sides; all by default")
	profile := flag.String("profile", "", "with -remote: the folder for CPU profiles of Topos")
	side := flag.String("side", "", "do one work on one side (used by the program itself)")
	name := flag.String("work", "", "the work of -side")
	n := flag.Int("n", 0, "the operations of -side")
	node := pair.Flags(flag.CommandLine)
	flag.Parse()
	if *side != "" {
		return doOne(*side, *name, *n, node)
	}
	if *rounds < 1 {
		return errors.New("-rounds must be positive")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "topos-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sides, err := prepare(self, dir, *remote)
	if err != nil {
		return err
	}
	if *remote {
		return runRemote(sides, *chosen, *only, *rounds, *quick, *profile, node.Length)
	}
	return runLocal(sides, *only, *rounds, *quick)
}

func introduce(sides []side, rounds int) {
	fmt.Printf("%d cores, %s; medians of %d interleaved rounds, each in a fresh process\n", runtime.NumCPU(), runtime.Version(), rounds)
	for _, s := range sides {
		if s.version != "" {
			fmt.Printf("%s %s\n", s.name, s.version)
		}
		if s.err != nil {
			fmt.Printf("%s cannot be measured: %v\n", s.name, s.err)
		}
	}
	fmt.Println()
}

func runLocal(sides []side, only string, rounds int, quick bool) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if quick {
		rounds = min(rounds, 3)
	}
	introduce(sides, rounds)
	var rows []row
	for _, w := range chosen {
		r, err := w.compare(sides, rounds, quick)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	print(rows, sides)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"rows": summaries(rows, sides)})
}

// How long the measured part of a work between two processes lasts.
const (
	remoteLength      = time.Second
	remoteQuickLength = 250 * time.Millisecond
)

func runRemote(sides []side, among, only string, rounds int, quick bool, profile string, length time.Duration) error {
	works, err := choosePairs(only)
	if err != nil {
		return err
	}
	if err := leaveOut(sides, among); err != nil {
		return err
	}
	if profile != "" {
		if err := os.MkdirAll(profile, 0o777); err != nil {
			return err
		}
	}
	b := &between{sides: sides, rounds: rounds, length: remoteLength, profile: profile}
	if quick {
		b.rounds, b.length = min(rounds, 3), remoteQuickLength
	}
	if length > 0 {
		b.length = length
	}
	introduce(sides, b.rounds)
	b.run(works)
	lines := b.lines(works)
	printLines(os.Stdout, lines, sides, b.notes)
	err = json.NewEncoder(os.Stdout).Encode(map[string]any{"rows": summariesOf(lines, sides)})
	return errors.Join(err, b.failed)
}

// doOne is the other end: one work on one side, or one of a pair of processes,
// in this fresh process.
func doOne(side, name string, n int, node *pair.Options) error {
	if node.Asked() {
		adapted := works.Pair()
		if side == "floor" {
			adapted = floor.Pair()
		}
		return pair.Main(node, adapted, os.Stdin, os.Stdout)
	}
	w, ok := find(name)
	if !ok {
		return fmt.Errorf("unknown work %q", name)
	}
	f := w.topos
	if side == "floor" {
		f = w.floor
	}
	r, err := f(n)
	if err != nil {
		return err
	}
	r.Work = name
	return json.NewEncoder(os.Stdout).Encode(r)
}
