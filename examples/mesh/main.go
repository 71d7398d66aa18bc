// Mesh shows a service mesh at work: three services, each with an instance in
// every one of several operating-system processes, are called from a node of
// their cluster while one process fails, is healed, and another is killed. What
// the mesh knows is printed live: who gets the calls, whose circuits are open,
// who is well.
//
//	go run ./examples/mesh [-members 3] [-rate 300]
//
// The exit status is 0 only if everything came as promised.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

// limit is how long the whole show may take.
const limit = 60 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx, os.Args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mesh:", err)
		os.Exit(1)
	}
}

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("mesh", flag.ExitOnError)
	members := flags.Int("members", 3, "how many processes, at least 3")
	rate := flags.Int("rate", 300, "calls a second to each service")
	_ = flags.Parse(args[1:])
	var errs []error
	if *members < 3 {
		errs = append(errs, fmt.Errorf("-members %d: one is made sick and one is killed, so it takes 3", *members))
	}
	if *rate < 10 || *rate > 10_000 {
		errs = append(errs, fmt.Errorf("-rate %d: must be 10 to 10000", *rate))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d := &director{out: out, size: *members, rate: *rate, began: time.Now()}
	return d.run(ctx)
}
