// Adaptive shows a cluster of operating-system processes that changes its
// topology by itself while nodes join, crash and leave.
//
//	go run ./examples/adaptive
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "adaptive:", err)
		os.Exit(1)
	}
}

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("adaptive", flag.ExitOnError)
	limit := flags.Duration("limit", time.Minute, "how long each scene may take")
	_ = flags.Parse(args[1:])
	return direct(ctx, *limit, out)
}
