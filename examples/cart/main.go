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
	"os"
	"time"
)

// limit is how long the whole show may take.
const limit = 30 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "cart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	nodes := flag.Int("nodes", 3, "how many nodes, at least 3")
	carts := flag.Int("carts", 6, "how many carts")
	writes := flag.Int("writes", 3000, "how many writes each node makes")
	seed := flag.Uint64("seed", 1, "what is written, and where")
	inproc := flag.Bool("inproc", false, "run all nodes in this process")
	config := flag.String("member", "", "run as a member (used by the program itself)")
	flag.Parse()
	if *config != "" {
		return serveMember(ctx, *config, os.Stdin, os.Stdout)
	}
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
	launch := launchProcess
	if *inproc {
		launch = launchInside
	}
	d := &director{
		out:    os.Stdout,
		opts:   options{Carts: *carts, Writes: *writes, Seed: *seed},
		nodes:  *nodes,
		events: make(chan event, 1024),
		ledger: newLedger(),
		began:  time.Now(),
	}
	return d.run(ctx, launch)
}
