// Plots draws the figures of docs/overlay.md from what simulations have shown, and runs
// these simulations.
//
//	go run ./bench/plots            draws docs/plots/*.svg from docs/plots/*.jsonl
//	go run ./bench/plots -measure reliability
//	go run ./bench/plots -measure floods
//	go run ./bench/plots -measure published
//	go run ./bench/plots -measure scale
//
// A line that is measured is the last one of a run of "topos sim", or of the dsn2007 command. To measure anew takes
// some minutes, and for a hundred thousand nodes half an hour and 5 GB. Reliability is
// the same on every machine; time is this one's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "plots:", err)
		os.Exit(1)
	}
}

var errSeries = errors.New("there is no such series")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("plots", flag.ContinueOnError)
	dir := flags.String("dir", "docs/plots", "where data and figures are")
	name := flags.String("measure", "", "run the simulations of reliability, floods, published or scale first")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name != "" {
		runs, ok := simulations()[*name]
		if !ok {
			return fmt.Errorf("%w: %q", errSeries, *name)
		}
		if err := measure(ctx, runs, filepath.Join(*dir, *name+".jsonl"), out); err != nil {
			return err
		}
	}
	t, err := load(*dir)
	if err != nil {
		return err
	}
	return drawAll(t, *dir)
}
