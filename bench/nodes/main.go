// Command nodes starts many nodes with partial views on this machine, in a few
// operating-system processes that are connected over loopback, and measures how long
// it takes until each knows all, how much memory that is, how long a broadcast takes to
// reach all, and how long it takes until all know that some have been killed.
//
//	go run ./bench/nodes -nodes 1000 -kill 0.1
//
// Nodes are spread evenly over the processes, as few as have files for so many. Each node joins
// by the addresses of three that run. Killed is a node whose connections are cut without
// a word, as the end of its process would do, some in each process.
//
// Its last line is one JSON object: see result. The status is not 0 if a measurement is
// worse than its bar, or something takes longer than -limit. With -profile there is a CPU
// profile of each process and phase, and of the heap and the goroutines at rest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

func main() { crowd.Main("nodes", run) }

// plan is what is measured, as members are told.
type plan struct {
	Nodes   int
	Garbage int    // by how many per cent the heap grows until garbage is collected
	Memory  int64  // from how many bytes on it is collected more often
	Profile string // prefix of profiles' names; "": none
}

// perProcess is how many nodes share a process unless -processes says otherwise. While
// they start, each has some twenty files open for a moment, and more when the machine is
// busy. With fewer each a message costs more: in four processes instead of one, a hundred
// nodes took twice the processor time at rest.
const perProcess = 500

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	d := director{out: out}
	var p plan
	var b bars
	flags := flag.NewFlagSet("nodes", flag.ContinueOnError)
	flags.IntVar(&p.Nodes, "nodes", 100, "how many")
	processes := flags.Int("processes", 0, "in how many processes; 0: as few as have files for so many")
	flags.Float64Var(&d.kill, "kill", 0.1, "the share that is killed")
	flags.DurationVar(&d.every, "every", 20*time.Millisecond, "the time between two starts")
	flags.DurationVar(&d.limit, "limit", 2*time.Minute, "how long anything may take")
	flags.DurationVar(&d.settle, "settle", 10*time.Second, "the time between that and the rest")
	flags.DurationVar(&d.rest, "rest", 10*time.Second, "for how long it is measured what nodes do when nothing happens")
	flags.IntVar(&p.Garbage, "gc", 400, "by how many per cent the heap grows until garbage is collected: hundreds of nodes share it")
	flags.StringVar(&p.Profile, "profile", "", "write profiles to files whose names begin like this")
	flags.DurationVar(&b.directory, "directory", time.Minute, "the bar: from the last start until all know all")
	flags.DurationVar(&b.broadcast, "broadcast", 2*time.Second, "the bar: until a broadcast has reached all")
	flags.DurationVar(&b.obituaries, "obituaries", 15*time.Second, "the bar: until all know who has been killed")
	flags.IntVar(&b.memory, "memory", 8<<10, "the bar: memory of all processes at their largest, MB")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *processes == 0 {
		*processes = 1 + (p.Nodes-1)/perProcess
	}
	if p.Nodes < 2 || *processes < 1 || *processes > p.Nodes || d.kill < 0 || int(d.kill*float64(p.Nodes)) > p.Nodes-2 {
		return fmt.Errorf("-nodes %d, -processes %d, -kill %v: it takes 2 nodes that live on, and one a process", p.Nodes, *processes, d.kill)
	}
	p.Memory = int64(b.memory) << 20 / int64(*processes) * 3 / 4 // the rest is for what is no heap
	r, err := d.direct(ctx, p, *processes)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(out).Encode(r), b.missed(r))
}
