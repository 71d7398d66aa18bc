// Cart is the main job of Topos on one screen: a cluster of operating-system
// processes serves shopping carts, which are registered under cluster names,
// supervised, and replicated; one process is killed while all are writing; its
// carts are started again elsewhere; and at the end every survivor's view of
// every cart is printed and checked against what was acknowledged.
//
//	go run ./examples/cart [-nodes 3] [-carts 6] [-writes 3000] [-seed 1] [-inproc]
//
// The exit status is 0 only if the views are equal and right.
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
const limit = 30 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx, os.Args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cart:", err)
		os.Exit(1)
	}
}

// run is the program, director or member.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	flags := flag.NewFlagSet("cart", flag.ExitOnError)
	nodes := flags.Int("nodes", 3, "how many nodes, at least 3")
	carts := flags.Int("carts", 6, "how many carts")
	writes := flags.Int("writes", 3000, "how many writes each node makes")
	seed := flags.Uint64("seed", 1, "what is written, and where")
	inproc := flags.Bool("inproc", false, "run all nodes in this process")
	_ = flags.Parse(args[1:])
	var errs []error
	if *nodes < 3 {
		errs = append(errs, fmt.Errorf("-nodes %d: a write is held by two nodes, so it takes 3 to lose one and go on", *nodes))
	}
	if *carts < 1 || *writes < 1 {
		errs = append(errs, fmt.Errorf("-carts %d, -writes %d: must be positive", *carts, *writes))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d := newDirector(out, *nodes, options{Carts: *carts, Writes: *writes, Seed: *seed})
	if *inproc {
		d.crowd.Inside(run)
	}
	return d.run(ctx)
}
