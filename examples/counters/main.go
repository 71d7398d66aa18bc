// Counters shows a cluster that is parted and heals, on one screen: five
// operating-system processes count together, are cut into three and two, do on
// both sides what their strategy says, and meet again. At the end all must have
// the same count: every increment that was acknowledged, once.
//
//	go run ./examples/counters [-strategy continue|readonly|merge]
//
// With continue, the count is a replicated CRDT and both sides go on. With
// readonly it is one, too, and both sides refuse to count. With merge, it is
// ordinary data and both sides' increments are logged and exchanged.
//
// The exit status is 0 only if all was as promised.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/internal/crowd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "counters:", err)
		os.Exit(1)
	}
}

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("counters", flag.ExitOnError)
	strategy := flags.String("strategy", "continue", "what the sides do while they are parted: continue, readonly or merge")
	limit := flags.Duration("limit", time.Minute, "how long the whole show may take")
	_ = flags.Parse(args[1:])
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	s, ok := map[string]partition.Strategy{
		"continue": partition.ContinueLocal, "readonly": partition.ReadOnly, "merge": partition.MergeOnReconnect,
	}[*strategy]
	if !ok {
		return fmt.Errorf("-strategy %q: must be continue, readonly or merge", *strategy)
	}
	return newDirector(out, s, rand.Text()).run(ctx)
}
